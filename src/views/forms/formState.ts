import type { FormRequest } from '../../editor/app.ts';
import type { Texts } from '../../editor/texts.ts';
import type { Described, FormDefinition } from './definition.ts';
import type { Field, FormState, Preview, Values } from './protocol.ts';

/** What a form holds when its page is to be shown anew. */
export interface FormNow {
  readonly definition: FormDefinition;
  readonly request: FormRequest;
  readonly described: Described;
  readonly values: Values;
  /** The change of the page that `values` knows of. */
  readonly revision: number;
  readonly preview: Preview;
  /** Its plan runs. */
  readonly busy: boolean;
  /** The values were kept when the page was closed. */
  readonly restored: boolean;
}

/** All that the page shows, in the reader's language. */
export function formState({ t }: Texts, now: FormNow): FormState {
  const { definition, described, values, revision, request, preview } = now;
  const [problem] = Object.values(described.problems);
  const disabled = now.busy ? t('forms.busy') : (problem ?? '');
  return {
    kind: definition.kind,
    request,
    heading: described.heading,
    intro: described.intro,
    fields: described.fields,
    values,
    revision,
    problems: described.problems,
    preview: {
      ...offered(preview, described.fields),
      ...(described.commandLine === undefined ? {} : { commandLine: described.commandLine }),
    },
    submit: { label: described.submitLabel, disabled },
    ...(definition.canSaveDraft ? { draft: { label: t('forms.saveDraft'), disabled } } : {}),
    ...(now.restored ? { restored: { text: t('forms.restored'), startOver: t('forms.startOver') } } : {}),
    ...(described.extra === undefined ? {} : { extra: described.extra }),
    words: {
      advanced: t('forms.advanced'),
      whatHappens: t('forms.whatHappens'),
      commandLine: t('forms.commandLine'),
      commands: t('forms.commands'),
      copy: t('forms.copy'),
      cancel: t('forms.cancel'),
    },
  };
}

/** Without the choices for a field that the form does not have: with several hosts each has an address of its own. */
function offered(preview: Preview, fields: readonly Field[]): Preview {
  if (preview.error?.choices === undefined) return preview;
  const choices = preview.error.choices.filter(({ field }) => fields.some(({ id }) => id === field));
  return { ...preview, error: { ...preview.error, choices } };
}
