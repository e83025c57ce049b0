/** What a form's page and its host side say to each other. Shared by both: types only, every text ready to be shown. */

export type FormKind = 'setup' | 'join' | 'register' | 'group';

export type Row = Readonly<Record<string, string>>;
export type FieldValue = string | readonly string[] | readonly Row[];
/** Values by field id, as typed: nothing is parsed on the page. */
export type Values = Readonly<Record<string, FieldValue>>;

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string;
}

interface FieldBase {
  readonly id: string;
  readonly label: string;
  /** Explanation under the field. */
  readonly help: string;
  readonly required?: boolean;
  /** Folded away under *Advanced*. */
  readonly advanced?: boolean;
}

export type Field =
  | (FieldBase & {
      readonly kind: 'text';
      readonly placeholder?: string;
      readonly suggestions?: readonly string[];
      readonly browse?: string;
    })
  | (FieldBase & { readonly kind: 'lines'; readonly placeholder?: string })
  | (FieldBase & {
      readonly kind: 'choice';
      readonly choices: readonly Choice[];
      /** Label of a button beside it. */ readonly browse?: string;
    })
  | (FieldBase & { readonly kind: 'checklist'; readonly choices: readonly Choice[]; readonly filter: string; readonly empty: string })
  | (FieldBase & {
      readonly kind: 'rows';
      readonly columns: readonly { readonly id: string; readonly label: string; readonly placeholder?: string }[];
      readonly add: string;
      readonly remove: string;
    });

export interface PreviewStep {
  readonly title: string;
  readonly target: string;
  readonly needed: boolean;
  /** `done` or `will run`, in words. */
  readonly state: string;
  readonly details: readonly {
    readonly text: string;
    readonly code: boolean;
    readonly file?: string;
    /** What is written, as it is written. */
    readonly block?: string;
  }[];
}

export interface Preview {
  readonly status: 'idle' | 'working' | 'ready' | 'failed';
  /** One line: what is being done, why there is nothing to show, or how many steps are needed. */
  readonly summary: string;
  /** Facts found on the way: release, provider, service CIDR, rights that lack. */
  readonly facts: readonly { readonly label: string; readonly value: string; readonly bad?: boolean }[];
  readonly steps: readonly PreviewStep[];
  readonly error?: {
    readonly text: string;
    readonly next?: string;
    /** Label of the button that asks the person (host key, password). */ readonly connect?: string;
    /** Values that would do, each a button. */
    readonly choices?: readonly { readonly field: string; readonly value: string; readonly label: string }[];
  };
  readonly commandLine?: string;
  /** What a person has to run first, with other tools. */
  readonly commands?: readonly { readonly title: string; readonly commandLine: string }[];
}

export interface FormState {
  readonly kind: FormKind;
  /** What opened the form: the page keeps it, so that a reload brings back the same one. */
  readonly request: unknown;
  readonly heading: string;
  readonly intro: string;
  readonly fields: readonly Field[];
  readonly values: Values;
  /** The page's last change that the values know of: they are older than what is typed where it is another. */
  readonly revision: number;
  /** Broken rules by field id. */
  readonly problems: Readonly<Record<string, string>>;
  readonly preview: Preview;
  readonly submit: { readonly label: string; /** Why it cannot be pressed; empty where it can. */ readonly disabled: string };
  /** *Save as draft* where the form has one. */
  readonly draft?: { readonly label: string; readonly disabled: string };
  /** Shown where an earlier visit's values came back. */
  readonly restored?: { readonly text: string; readonly startOver: string };
  readonly extra?: { readonly id: string; readonly label: string };
  readonly words: {
    readonly advanced: string;
    readonly whatHappens: string;
    readonly commandLine: string;
    readonly commands: string;
    readonly copy: string;
    readonly cancel: string;
  };
}

export interface ToPage {
  readonly type: 'state';
  readonly state: FormState;
}

export type FromPage =
  | { readonly type: 'ready' }
  | { readonly type: 'change'; readonly values: Values; /** Counts the changes of the page. */ readonly revision: number }
  | { readonly type: 'submit' | 'draft' | 'cancel' | 'copy' | 'connect' | 'startOver' | 'extra' }
  | { readonly type: 'copyCommand'; /** Place in the preview's commands. */ readonly index: number }
  | { readonly type: 'choose'; /** Place in the choices of the preview's error. */ readonly index: number }
  | { readonly type: 'browse'; readonly field: string }
  | { readonly type: 'focus'; /** Whether the page has the keyboard. */ readonly here: boolean }
  | { readonly type: 'open'; readonly file: string };

export const defaultPreview: Preview = { status: 'idle', summary: '', facts: [], steps: [] };

/** A value that the page or an older version of it may have kept in another shape. */
export function textOf(value: FieldValue | undefined): string {
  return typeof value === 'string' ? value.trim() : '';
}

export function listOf(value: FieldValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

export function rowsOf(value: FieldValue | undefined): readonly Row[] {
  return Array.isArray(value) ? value.filter((one): one is Row => typeof one === 'object') : [];
}
