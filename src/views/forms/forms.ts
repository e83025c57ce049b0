import type * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';

export class Forms implements vscode.Disposable {
  readonly #app: App;
  constructor(app: App) {
    this.#app = app;
  }
  open(request: FormRequest): void {
    this.#app.log.info(request.kind);
  }
  dispose(): void {
    return;
  }
}
