import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import type { CheckResult } from '../mesh/model.ts';
import { asMeshError } from '../mesh/errors.ts';
import { checkLines, passedText, plain } from './checkText.ts';

const style = { reset: '\u001b[0m', bold: '\u001b[1m', dim: '\u001b[2m', good: '\u001b[32m', bad: '\u001b[31m', skipped: '\u001b[33m' };
const REASON_WIDTH = 76;

/** The checks of one VM in a terminal (ui.md, Checks). Exit code 0 only when all passed, 3 when one failed, 1 when they could not run. */
export class CheckTerminal implements vscode.Pseudoterminal {
  readonly #app: App;
  readonly #vm: string;
  readonly #onRan: (() => void) | undefined;
  readonly #output = new vscode.EventEmitter<string>();
  readonly #closed = new vscode.EventEmitter<number>();
  readonly onDidWrite = this.#output.event;
  readonly onDidClose = this.#closed.event;
  #only: readonly string[] | undefined;
  #results: readonly CheckResult[] = [];
  #running: AbortController | undefined;
  #exitCode = 1;

  /** `onRan`: the terminal stays open for its keys, and this is called after each run; without it the terminal closes after the first. */
  constructor(app: App, vm: string, only: readonly string[] | undefined, onRan?: () => void) {
    this.#app = app;
    this.#vm = vm;
    this.#only = only;
    this.#onRan = onRan;
  }

  open(): void {
    void this.#run();
  }

  close(): void {
    this.#running?.abort();
  }

  handleInput(key: string): void {
    if (key === '\u0003') {
      if (this.#running === undefined) this.#closed.fire(this.#exitCode);
      else this.#running.abort();
      return;
    }
    if (this.#running !== undefined) return;
    if (key === 'r') void this.#again(undefined);
    else if (key === 'f') void this.#again(this.#results.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id));
    else if (key === 'o') void this.#app.showText(`${this.#vm}.checks.txt`, this.#app.checksText(this.#vm, this.#results), 'shellscript');
    else if (key === 'q' || key === '\r' || key === '\u001b') this.#closed.fire(this.#exitCode);
  }

  async #again(only: readonly string[] | undefined): Promise<void> {
    if (only?.length === 0) return;
    this.#only = only;
    this.#line('');
    await this.#run();
  }

  async #run(): Promise<void> {
    const { texts, session, prompts, facts, log } = this.#app;
    const { t, say } = texts;
    const abort = new AbortController();
    this.#running = abort;
    try {
      const { inventory } = await session.file.read();
      const cluster = inventory.vms.find(({ name }) => name === this.#vm)?.cluster ?? '';
      this.#line(`${style.bold}${t('editor.check.header', { vm: this.#vm, cluster })}${style.reset}`);
      const mesh = await session.mesh();
      const events = {
        onStart: (_: string, command: string) => this.#line(`  ${style.bold}$${style.reset} ${plain(command)}`),
        onResult: (result: CheckResult) => this.#show(result),
      };
      const results = await prompts.interactively(() => mesh.check(this.#vm, events, { signal: abort.signal, only: this.#only }));
      const before =
        this.#only === undefined
          ? []
          : (facts.checks(this.#vm)?.results ?? []).filter(({ id }) => !results.some((result) => result.id === id));
      this.#results = [...before, ...results];
      this.#exitCode = results.some(({ verdict }) => verdict === 'fail') ? 3 : 0;
      facts.setChecks(this.#vm, this.#results);
      this.#line(`  ${style.bold}${passedText(results, texts)}${style.reset} ${this.#onRan === undefined ? '' : t('editor.check.keys')}`);
    } catch (thrown) {
      const error = asMeshError(thrown);
      this.#exitCode = error.kind === 'cancelled' ? 130 : 1;
      if (error.kind !== 'cancelled') log.error(t('editor.check.task', { vm: this.#vm }), error);
      for (const line of plain(say(error.userMessage)).split('\n')) this.#line(`  ${style.bad}${line}${style.reset}`);
      if (error.nextStep !== undefined) this.#line(`        ${plain(say(error.nextStep))}`);
      if (this.#onRan !== undefined) this.#line(`  ${t('editor.check.keys')}`);
    } finally {
      this.#running = undefined;
      if (this.#onRan === undefined) this.#closed.fire(this.#exitCode);
      else this.#onRan();
    }
  }

  #show(result: CheckResult): void {
    const { verdict, reason, time, more } = checkLines(result, this.#app.texts);
    const shade = { ok: style.good, fail: style.bad, skipped: style.skipped }[result.verdict];
    const [first = '', ...rest] = plain(reason).split('\n');
    this.#line(`  ${shade}${padded(verdict, 4)}${style.reset}  ${padded(first, REASON_WIDTH)} ${style.dim}${time}${style.reset}`);
    for (const line of rest) this.#line(`        ${line}`);
    for (const [name, text] of more) {
      const [start = '', ...others] = plain(text).split('\n');
      this.#line(`        ${style.dim}${padded(name, name === '' ? 0 : 5)}${style.reset}${start}`);
      for (const line of others) this.#line(`        ${' '.repeat(name === '' ? 0 : 5)}${line}`);
    }
  }

  #line(text: string): void {
    this.#output.fire(`${text}\r\n`);
  }
}

/** Fills a text to a number of terminal cells; wide characters take two. */
function padded(text: string, cells: number): string {
  const wide = text.match(/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g)?.length ?? 0;
  return text + ' '.repeat(Math.max(0, cells - text.length - wide));
}
