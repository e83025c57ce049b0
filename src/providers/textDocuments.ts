import * as vscode from 'vscode';
import { textScheme } from '../editor/uris.ts';

/** Read-only documents with a text made by a command: results of checks, diagnostics, objects. */
export class TextDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #subscription = vscode.workspace.onDidCloseTextDocument(({ uri }) => {
    if (uri.scheme === textScheme) this.#texts.delete(uri.path);
  });

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? '';
  }

  async show(name: string, text: string, language: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: textScheme, path: `/${name}` });
    this.#texts.set(uri.path, text);
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(await vscode.languages.setTextDocumentLanguage(document, language));
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }
}
