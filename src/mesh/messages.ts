/** A text for a person: an id of `l10n/messages/*.json` and the values of its `{name}` places. Rendered by the editor or the command line. */
export interface Message {
  readonly id: string;
  readonly args: Readonly<Record<string, string | number>>;
}

export function message(id: string, args: Readonly<Record<string, string | number>> = {}): Message {
  return { id, args };
}

/** Texts by message id; one bundle per language, `l10n/bundle.l10n*.json`. */
export type MessageBundle = Readonly<Record<string, string>>;

/** Fills a message's text. Falls back to the second bundle, then to the id itself, so that a missing translation never hides a message. */
export function render(text: Message, bundle: MessageBundle, fallback: MessageBundle = {}): string {
  const template = bundle[text.id] ?? fallback[text.id] ?? text.id;
  return template.replace(/\{(\w+)\}/g, (place, name: string) => String(text.args[name] ?? place));
}
