import * as vscode from 'vscode';
import { fileUri, generatedScheme, hostScheme } from '../editor/uris.ts';
import type { GeneratedTexts } from '../editor/generatedTexts.ts';
import { opensAsDiff, type Node } from './nodes.ts';

/** A file that a person chose in the tree shows the last text at once and is generated anew behind it; one that VS Code restores contacts nothing. */
export class OpenedFiles implements vscode.Disposable {
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(view: vscode.TreeView<Node>, generated: GeneratedTexts, askHost: (uri: vscode.Uri) => void) {
    this.#subscriptions = [
      view.onDidChangeSelection(({ selection: [node, ...others] }) => {
        // The VM's line says why it cannot be read, where it cannot.
        if (node?.kind !== 'file' || others.length > 0) return;
        generated.refresh(node.vm).catch(() => undefined);
        if (opensAsDiff(node)) askHost(fileUri({ cluster: node.cluster, vm: node.vm, path: node.file.path }, hostScheme));
      }),
      vscode.workspace.onDidOpenTextDocument((document) => {
        if (document.uri.scheme === generatedScheme && document.languageId === 'plaintext')
          void vscode.languages.setTextDocumentLanguage(document, 'properties');
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
