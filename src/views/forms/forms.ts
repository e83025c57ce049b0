import * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import { asMeshError } from '../../mesh/errors.ts';

const formViewType = 'meshExpansion.form';

/** Opens the forms, one panel for each kind, and brings back those that were open before a reload. */
export class Forms implements vscode.Disposable, vscode.WebviewPanelSerializer {
  readonly #app: App;
  readonly #open = new Map<FormRequest['kind'], vscode.WebviewPanel>();
  readonly #registered: vscode.Disposable;

  constructor(app: App) {
    this.#app = app;
    this.#registered = vscode.window.registerWebviewPanelSerializer(formViewType, this);
  }

  /** A form of the same kind that is open already makes way: what was typed there is kept, what is asked for now goes first. */
  open(request: FormRequest): void {
    this.#open.get(request.kind)?.dispose();
    const panel = vscode.window.createWebviewPanel(formViewType, '', vscode.ViewColumn.Active, {
      enableScripts: true,
      enableFindWidget: true,
    });
    this.#show(panel, request);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const request = requestOf(state);
    if (request === undefined) panel.dispose();
    else this.#show(panel, request);
    return Promise.resolve();
  }

  dispose(): void {
    this.#registered.dispose();
    for (const panel of this.#open.values()) panel.dispose();
  }

  #show(panel: vscode.WebviewPanel, request: FormRequest): void {
    this.#open.set(request.kind, panel);
    panel.onDidDispose(() => {
      if (this.#open.get(request.kind) === panel) this.#open.delete(request.kind);
    });
    // A bundle of its own: starting VS Code pays for no form.
    import('../forms/index.ts').then(
      ({ fillPanel }) => fillPanel(this.#app, request, panel),
      (thrown: unknown) => this.#app.log.error(formViewType, asMeshError(thrown)),
    );
  }
}

/** What a page was opened for, as it kept it: untrusted, so nothing but names is taken. */
function requestOf(state: unknown): FormRequest | undefined {
  if (typeof state !== 'object' || state === null || !('kind' in state)) return undefined;
  const { kind } = state;
  const asked = 'request' in state && typeof state.request === 'object' && state.request !== null ? state.request : {};
  const names = Object.fromEntries(Object.entries(asked).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  switch (kind) {
    case 'setup':
      return { kind, cluster: names.cluster };
    case 'join':
      return { kind, cluster: names.cluster, vm: names.vm, group: names.group };
    case 'register':
      return { kind, cluster: names.cluster, service: names.service };
    case 'group':
      return { kind, cluster: names.cluster, group: names.group };
    default:
      return undefined;
  }
}
