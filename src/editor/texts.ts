import { render, type Message, type MessageBundle } from '../mesh/messages.ts';

type Arguments = Readonly<Record<string, string | number>>;

/** Texts for people, in the editor's language. */
export interface Texts {
  /** Text of an id of `l10n/messages/*.json`. */
  readonly t: (id: string, args?: Arguments) => string;
  /** Text of a message of the core. */
  readonly say: (message: Message) => string;
  /** BCP 47 language for dates and numbers. */
  readonly language: string;
}

/** `read` answers a bundle by its file name, or undefined; called once per bundle, on first use. */
export function createTexts(language: string, read: (fileName: string) => MessageBundle | undefined): Texts {
  let bundles: { readonly own: MessageBundle; readonly fallback: MessageBundle } | undefined;
  const load = () =>
    (bundles ??= { own: language === 'en' ? {} : (read(`bundle.l10n.${language}.json`) ?? {}), fallback: read('bundle.l10n.json') ?? {} });
  const say = (message: Message): string => {
    const { own, fallback } = load();
    const args = Object.fromEntries(Object.entries(message.args).map(([name, value]) => [name, unlinked(value)]));
    return render({ id: message.id, args }, own, fallback);
  };
  return { say, t: (id, args = {}) => say({ id, args }), language };
}

/**
 * A value that came from a cluster, a machine or a file, with no link in it: notifications and input boxes make `[text](command:...)` a link
 * that runs the command when it is clicked.
 */
export function unlinked<T extends string | number>(value: T): T | string {
  return typeof value === 'string' ? value.replaceAll('](', '] (') : value;
}
