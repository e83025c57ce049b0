import type { MeshError } from '../mesh/errors.ts';
import { problemsOf } from '../mesh/inventoryProblems.ts';
import { message, type Message } from '../mesh/messages.ts';
import { exitCodeOfError, type ExitCode } from './exitCode.ts';
import type { Texts } from './language.ts';

/** One target's part of the result: a VM, a cluster or a service. `code` is its own exit code. */
export interface TargetResult {
  readonly vm?: string;
  readonly cluster?: string;
  readonly service?: string;
  /** NAMESPACE/NAME of a workload group. */
  readonly group?: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly code: ExitCode;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly nextStep?: string;
    readonly field?: string;
    readonly problems?: readonly { readonly field: string; readonly message: string; readonly line: number; readonly column: number }[];
  };
  readonly [more: string]: unknown;
}

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Results to stdout (with `--json` one document at the end), progress and messages to stderr (design: The command line). */
export class Output {
  readonly texts: Texts;
  readonly json: boolean;
  readonly #streams: Streams;

  constructor(texts: Texts, json: boolean, streams: Streams) {
    this.texts = texts;
    this.json = json;
    this.#streams = streams;
  }

  /** A line of the result; nothing with `--json`, whose document says it all. */
  result(line: string): void {
    if (!this.json) this.#streams.out(`${printable(line)}\n`);
  }

  note(line: string): void {
    this.#streams.err(`${printable(line)}\n`);
  }

  say(text: Message): void {
    this.note(this.texts(text));
  }

  error(error: MeshError, target?: string): void {
    const about = target === undefined ? '' : `${target}: `;
    this.note(`${about}${this.texts(message('cli.error', { text: this.texts(error.userMessage) }))}`);
    for (const problem of problemsOf(error).slice(1))
      this.note(
        `  ${this.texts(message('cli.error', { text: `${problem.position.line}:${problem.position.column} ${this.texts(problem.text)}` }))}`,
      );
    if (error.nextStep !== undefined) this.note(`  ${this.texts(message('cli.next', { text: this.texts(error.nextStep) }))}`);
  }

  /** What an error is in a result. */
  failure(error: MeshError): Pick<TargetResult, 'ok' | 'changed' | 'code' | 'error'> {
    const problems = problemsOf(error).map(({ field, text, position }) => ({
      field,
      message: this.texts(text),
      line: position.line,
      column: position.column,
    }));
    return {
      ok: false,
      changed: false,
      code: exitCodeOfError(error),
      error: {
        code: error.code,
        message: this.texts(error.userMessage),
        nextStep: error.nextStep && this.texts(error.nextStep),
        field: error.field === '' ? undefined : error.field,
        problems: problems.length > 0 ? problems : undefined,
      },
    };
  }

  document(command: string, results: readonly TargetResult[], more: Readonly<Record<string, unknown>> = {}): void {
    if (this.json) this.#streams.out(`${JSON.stringify({ version: 1, command, results, ...more }, null, 2)}\n`);
  }
}

/** Text from outside must not steer a terminal: control characters but tab and line end are shown, not sent. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
