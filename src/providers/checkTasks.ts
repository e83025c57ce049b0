import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import { CheckTerminal } from './checkTerminal.ts';

const type = 'meshExpansion.check';

/** Checks as tasks: run by the command, from tasks.json, or as another task's dependency. */
export class CheckTasks implements vscode.TaskProvider, vscode.Disposable {
  readonly #app: App;
  readonly #registered: vscode.Disposable;

  constructor(app: App) {
    this.#app = app;
    this.#registered = vscode.tasks.registerTaskProvider(type, this);
  }

  /** Runs in a terminal that stays for the keys: run again, only what failed, as a document. Resolves when the checks are done, or could not run. */
  async run(vm: string, only?: readonly string[]): Promise<void> {
    let ran: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (ran = resolve));
    const execution = await vscode.tasks.executeTask(this.#task({ type, vm, ...(only === undefined ? {} : { only }) }, { onRan: ran }));
    // A terminal that is closed early, or that never came up, tells nothing.
    const ended = vscode.tasks.onDidEndTask((event) => {
      if (event.execution === execution) ran();
    });
    await done;
    ended.dispose();
  }

  async provideTasks(): Promise<vscode.Task[]> {
    const { inventory } = await this.#app.session.file.read();
    return inventory.vms.map(({ name }) => this.#task({ type, vm: name }));
  }

  resolveTask(task: vscode.Task): vscode.Task | undefined {
    const vm: unknown = task.definition.vm;
    return typeof vm === 'string' ? this.#task({ ...task.definition, vm }, { scope: task.scope }) : undefined;
  }

  dispose(): void {
    this.#registered.dispose();
  }

  /** `onRan`: the terminal stays open, and this is called after each run. */
  #task(
    definition: vscode.TaskDefinition & { readonly vm: string },
    { onRan, scope = vscode.TaskScope.Workspace }: { readonly onRan?: () => void; readonly scope?: vscode.Task['scope'] } = {},
  ): vscode.Task {
    const { t } = this.#app.texts;
    const only: unknown = definition.only;
    const ids = Array.isArray(only) ? only.filter((id): id is string => typeof id === 'string') : undefined;
    const execution = new vscode.CustomExecution(async () => new CheckTerminal(this.#app, definition.vm, ids, onRan));
    const task = new vscode.Task(definition, scope, t('editor.check.task', { vm: definition.vm }), 'Mesh Expansion', execution, []);
    task.presentationOptions = {
      reveal: vscode.TaskRevealKind.Always,
      panel: vscode.TaskPanelKind.Dedicated,
      clear: true,
      focus: onRan !== undefined,
    };
    return task;
  }
}
