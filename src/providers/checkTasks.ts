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

  /** Runs in a terminal that stays for the keys: run again, only what failed, as a document. */
  async run(vm: string, only?: readonly string[]): Promise<void> {
    const execution = await vscode.tasks.executeTask(this.#task({ type, vm, ...(only === undefined ? {} : { only }) }, true));
    await new Promise<void>((resolve) => {
      const ended = vscode.tasks.onDidEndTask((event) => {
        if (event.execution !== execution) return;
        ended.dispose();
        resolve();
      });
      // The terminal waits for keys: the command is done when the checks are.
      const changed = this.#app.facts.onDidChange(() => {
        if (this.#app.facts.checks(vm) === undefined) return;
        changed.dispose();
        ended.dispose();
        resolve();
      });
    });
  }

  async provideTasks(): Promise<vscode.Task[]> {
    const { inventory } = await this.#app.session.file.read();
    return inventory.vms.map(({ name }) => this.#task({ type, vm: name }, false));
  }

  resolveTask(task: vscode.Task): vscode.Task | undefined {
    const vm: unknown = task.definition.vm;
    return typeof vm === 'string' ? this.#task({ ...task.definition, vm }, false, task.scope) : undefined;
  }

  dispose(): void {
    this.#registered.dispose();
  }

  #task(
    definition: vscode.TaskDefinition & { readonly vm: string },
    staysOpen: boolean,
    scope: vscode.Task['scope'] = vscode.TaskScope.Workspace,
  ): vscode.Task {
    const { t } = this.#app.texts;
    const only: unknown = definition.only;
    const ids = Array.isArray(only) ? only.filter((id): id is string => typeof id === 'string') : undefined;
    const execution = new vscode.CustomExecution(async () => new CheckTerminal(this.#app, definition.vm, ids, staysOpen));
    const task = new vscode.Task(definition, scope, t('editor.check.task', { vm: definition.vm }), 'Mesh Expansion', execution, []);
    task.presentationOptions = {
      reveal: vscode.TaskRevealKind.Always,
      panel: vscode.TaskPanelKind.Dedicated,
      clear: true,
      focus: staysOpen,
    };
    return task;
  }
}
