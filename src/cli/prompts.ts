import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import pLimit from 'p-limit';
import { message } from '../mesh/messages.ts';
import type { HostPrompter } from '../mesh/ports.ts';
import { Secret } from '../mesh/secret.ts';
import type { Texts } from './language.ts';
import { printable, type Output } from './output.ts';

/** Asks one person one question at a time, on stderr. Without a terminal every answer is "no" (design: never waited for). */
export class Prompts implements HostPrompter {
  readonly interactive: boolean;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #cancel: () => void;
  readonly #oneAtATime = pLimit(1);

  constructor(output: Output, interactive: boolean, signal: AbortSignal, cancel: () => void) {
    this.#output = output;
    this.interactive = interactive;
    this.#signal = signal;
    this.#cancel = cancel;
  }

  async confirm(question: string): Promise<boolean> {
    const answer = await this.#ask(`${question} ${this.#output.texts(message('cli.confirm.choice'))} `, true);
    return answer !== undefined && /^(y|yes|是)$/i.test(answer.trim());
  }

  async confirmHostKey(question: Parameters<HostPrompter['confirmHostKey']>[0]): Promise<boolean> {
    const { host, address, keyType, fingerprint } = question;
    this.#output.say(message('cli.host-key', { host, address, keyType, fingerprint }));
    if (!this.interactive) return false;
    return (await this.#ask(`${this.#output.texts(message('cli.host-key.confirm'))} `, true))?.trim() === 'yes';
  }

  async secret(question: Parameters<HostPrompter['secret']>[0]): Promise<Secret | undefined> {
    const answer = await this.#ask(`${secretQuestion(question, this.#output.texts)} `, question.echo);
    return answer === undefined ? undefined : new Secret(answer);
  }

  note(text: Parameters<HostPrompter['note']>[0]): void {
    this.#output.say(text);
  }

  #ask(prompt: string, echo: boolean): Promise<string | undefined> {
    if (!this.interactive) return Promise.resolve(undefined);
    return this.#oneAtATime(() => this.#readLine(prompt, echo));
  }

  #readLine(prompt: string, echo: boolean): Promise<string | undefined> {
    return new Promise((resolve) => {
      const shown = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          if (echo) process.stderr.write(chunk);
          done();
        },
      });
      const reader = createInterface({ input: process.stdin, output: shown, terminal: true });
      // The terminal's own echo is off from here on; who answers before the question would be seen.
      if (!echo) process.stderr.write(prompt);
      let answer: string | undefined;
      reader.on('SIGINT', () => {
        this.#cancel();
        reader.close();
      });
      const onAbort = (): void => reader.close();
      this.#signal.addEventListener('abort', onAbort, { once: true });
      reader.on('close', () => {
        this.#signal.removeEventListener('abort', onAbort);
        if (!echo) process.stderr.write('\n');
        resolve(answer);
      });
      reader.question(prompt, (line) => {
        answer = line;
        reader.close();
      });
    });
  }
}

/** What is asked for, and for what; the server's own words where it has some. */
export function secretQuestion({ kind, host, prompt }: Parameters<HostPrompter['secret']>[0], texts: Texts): string {
  const args = { host, prompt: prompt.trim() };
  const questions = {
    sudo: message('cli.secret.sudo', args),
    passphrase: message('cli.secret.passphrase', args),
    password: message('cli.secret.password', args),
    interactive: message('cli.secret.interactive', args),
  };
  return printable(texts(questions[kind]));
}
