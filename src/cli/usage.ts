import { InvalidArgumentError, type Command, type Help, type Option } from 'commander';
import { message, type Message } from '../mesh/messages.ts';
import type { Texts } from './language.ts';

/** What commander says of wrong usage, and the same as a message of ours; what is not here stays as commander says it. */
const complaints: readonly (readonly [said: RegExp, own: (found: readonly string[]) => Message])[] = [
  [/^unknown option '(.*)'$/s, ([option = '']) => message('cli.usage.unknown-option', { option })],
  [/^unknown command '(.*)'$/s, ([command = '']) => message('cli.usage.unknown-command', { command })],
  [/^option '(.*)' argument missing$/s, ([option = '']) => message('cli.usage.no-value', { option })],
  [/^required option '(.*)' not specified$/s, ([option = '']) => message('cli.usage.required', { option })],
  [
    /^option '(.*?)' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s,
    ([option = '', value = '', choices = '']) => message('cli.usage.choice', { option, value, choices }),
  ],
  [
    /^option '(.*?)' argument '(.*)' is invalid\. (.*)$/s,
    ([option = '', value = '', reason = '']) => message('cli.usage.value', { option, value, reason }),
  ],
  [/^too many arguments.*: (.*)\.$/s, ([words = '']) => message('cli.usage.too-many', { words })],
];

/** The text of a CommanderError in the reader's language: `unknown option '--jsn' (did you mean --json?)`. */
export function usageText(said: string, texts: Texts): string {
  const [, text = said, near] = /^(?:error: )?(.*?)(?:\n\(Did you mean (?:one of )?(.*)\?\))?\s*$/s.exec(said) ?? [];
  for (const [pattern, own] of complaints) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const plain = texts(own(found.slice(1)));
    return near === undefined ? plain : texts(message('cli.usage.near', { text: plain, near }));
  }
  return said.replace(/^error: /, '').trimEnd();
}

/** Refuses an option in the place of another's value, which commander takes: `--out --json` forgot the folder. */
export function refuseOptionsAsValues(command: Command): void {
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (option.required && values.some((one) => typeof one === 'string' && one.startsWith('-')))
      command.error(`error: option '${option.flags}' argument missing`, { code: 'commander.optionMissingArgument' });
  }
}

/** Reads the value of an option that takes one: a second would win, and the first be left out without a word. */
export function onlyOne(texts: Texts): (value: string, earlier: string | undefined) => string {
  return (value, earlier) => {
    if (earlier !== undefined) throw new InvalidArgumentError(texts(message('cli.usage.only-one', { earlier })));
    return value;
  };
}

/** Makes a program, and what is added to it later, speak the reader's language in its help. */
export function speak(program: Command, texts: Texts): Command {
  const titles: Readonly<Record<string, Message>> = {
    'Usage:': message('cli.help.usage'),
    'Options:': message('cli.help.options'),
    'Commands:': message('cli.help.commands'),
  };
  const places: Readonly<Record<string, Message>> = {
    '[options]': message('cli.help.options-place'),
    '[command]': message('cli.help.command-place'),
  };
  const place = (text: string): string =>
    text.replace(/\[(?:options|command)\]/g, (found) => (places[found] === undefined ? found : texts(places[found])));
  const own: Partial<Help> = {
    styleTitle: (title) => (titles[title] === undefined ? title : texts(titles[title])),
    styleUsage: place,
    styleSubcommandTerm: place,
    optionDescription: (option) => optionDescription(option, texts),
  };
  return program
    .configureHelp(own)
    .helpOption('-h, --help', texts(message('cli.help.help')))
    .helpCommand('help [command]', texts(message('cli.help.help')));
}

function optionDescription({ description, argChoices, required, defaultValue }: Option, texts: Texts): string {
  const notes = [
    ...(argChoices === undefined ? [] : [message('cli.help.choices', { choices: argChoices.join(', ') })]),
    ...(required && typeof defaultValue === 'string' ? [message('cli.help.default', { value: defaultValue })] : []),
  ];
  return notes.reduce((text, note) => texts(message('cli.help.noted', { text, note: texts(note) })), description);
}

/** The command that the arguments name, as the documents of `--json` have it: `cluster setup`. What is no command stays as it was written. */
export function commandName(program: Command, args: readonly string[]): string {
  const words = args.filter((word) => !word.startsWith('-'));
  const names: string[] = [];
  for (let [at, command]: [number, Command | undefined] = [0, program]; command !== undefined; at += 1) {
    command = command.commands.find((one) => one.name() === words[at]);
    if (command !== undefined) names.push(command.name());
  }
  return names.length > 0 ? names.join(' ') : (words[0] ?? '');
}
