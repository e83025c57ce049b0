import { detailText } from '../../editor/planConfirm.ts';
import type { Texts } from '../../editor/texts.ts';
import type { MeshError } from '../../mesh/errors.ts';
import type { PlanPreview } from '../../mesh/planRunner.ts';
import type { Preview, PreviewStep } from './protocol.ts';

/** Previews of plans as the right column shows them. */
export function previewOf(previews: readonly PlanPreview[], facts: Preview['facts'], texts: Texts): Preview {
  const { t, say } = texts;
  const several = previews.length > 1;
  const steps = previews.flatMap(({ plan, steps: list }) =>
    list.map(({ step, preview }): PreviewStep => ({
      title: say(step.title),
      target: several ? plan.hosts.join(', ') || (plan.context ?? '') : '',
      needed: preview.needed,
      state: preview.needed ? t('forms.step.will') : t('forms.step.done'),
      details: preview.details.map((detail) => ({
        text: detailText(detail, texts),
        code: detail.kind === 'command',
        ...(detail.kind === 'object' && detail.manifest !== undefined ? { block: detail.manifest } : {}),
        ...(detail.kind === 'file' && detail.verb !== 'delete' ? { file: `${step.target}\n${detail.path}` } : {}),
      })),
    })),
  );
  const needed = steps.filter((step) => step.needed).length;
  const contexts = unique(previews.map(({ plan }) => plan.context));
  const hosts = unique(previews.flatMap(({ plan }) => plan.hosts));
  const where = [
    ...(contexts === '' ? [] : [{ label: t('forms.where.context'), value: contexts }]),
    ...(hosts === '' ? [] : [{ label: t('forms.where.hosts'), value: hosts }]),
  ];
  const danger = previews.flatMap(({ plan }) =>
    plan.danger === undefined ? [] : [{ label: t('forms.where.danger'), value: say(plan.danger), bad: true }],
  );
  return {
    status: 'ready',
    summary: needed === 0 ? t('forms.preview.nothing') : t('forms.preview.needed', { needed, total: steps.length }),
    facts: [...where, ...facts, ...danger],
    steps,
  };
}

/** An error as the right column shows it; one that needs a person gets a button that asks. */
export function failedPreview(error: MeshError, facts: Preview['facts'], texts: Texts): Preview {
  const { t, say } = texts;
  return {
    status: 'failed',
    summary: t('forms.preview.failed'),
    facts,
    steps: [],
    error: {
      text: say(error.userMessage),
      ...(error.nextStep === undefined ? {} : { next: say(error.nextStep) }),
      ...(error.kind === 'person' ? { connect: t('forms.connect') } : {}),
      choices: error.choices.map(({ value, text }) => ({ field: error.field ?? '', value, label: t('forms.use', { value: text }) })),
    },
  };
}

function unique(names: readonly (string | undefined)[]): string {
  return [...new Set(names.filter((name) => name !== undefined))].join(', ');
}
