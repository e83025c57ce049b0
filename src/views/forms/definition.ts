import type { Job } from '../../editor/plans.ts';
import type { Draft } from '../../editor/session.ts';
import type { Field, FormKind, Preview, Values } from './protocol.ts';

/** What a form is at the moment, for the values that are typed. */
export interface Described {
  readonly heading: string;
  readonly intro: string;
  readonly fields: readonly Field[];
  readonly problems: Readonly<Record<string, string>>;
  readonly submitLabel: string;
  /** The equivalent command line; absent while it cannot be written. */
  readonly commandLine?: string;
  readonly extra?: { readonly id: string; readonly label: string };
}

/** Facts, and what a person has to run first. */
export interface PreviewFacts {
  readonly facts: Preview['facts'];
  readonly commands?: Preview['commands'];
}

/** One form. It knows its fields, the rules, the plans; the panel around it knows the page, the progress and what is kept. */
export interface FormDefinition {
  readonly kind: FormKind;
  /** What the form is about, where it is about one thing: what was typed for another is not brought back. */
  readonly subject?: string;
  /** Title of the tab. */
  readonly title: string;
  initial(): Promise<Values>;
  /** What the command that opened the form asked for: wins over what was kept from an earlier visit. */
  readonly requested: Values;
  /** Calls back when what the form shows has changed for another reason than typing. */
  listen?(again: () => void): { dispose(): void };
  /** Changes values that follow from others, e.g. a cluster that was not chosen yet. */
  settle?(values: Values): Promise<Values>;
  describe(values: Values): Promise<Described>;
  /** What the core is to see while the form is open: not written anywhere. */
  drafts(values: Values): Promise<readonly Draft[]>;
  /** Plans for valid values. Called with the drafts in force. */
  jobs(values: Values): readonly Job[];
  /** Facts shown above the steps; read with the drafts in force. */
  facts?(values: Values, signal: AbortSignal): Promise<PreviewFacts>;
  /** Document to open for a file or a link of the preview. */
  open(values: Values, file: string): Promise<void>;
  /** Writes what was typed into the inventory. */
  save(values: Values): Promise<void>;
  /** A button beside a field, e.g. *Browse*. Answers the field's new value. */
  browse?(field: string, values: Values): Promise<string | undefined>;
  extra?(values: Values): Promise<void>;
  /** The form has a *Save as draft* of its own. */
  readonly canSaveDraft: boolean;
}
