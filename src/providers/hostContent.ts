import * as vscode from 'vscode';
import type { Prompts } from '../editor/prompts.ts';
import type { Session } from '../editor/session.ts';
import type { Texts } from '../editor/texts.ts';
import { addressOf } from '../editor/uris.ts';
import { secretText } from './secretText.ts';

/** What is on a VM now: the left side of a diff. Asked when the document is opened; a secret shows its facts. */
export class HostContent implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #session: Session;
  readonly #prompts: Prompts;
  readonly #texts: Texts;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;

  constructor(session: Session, prompts: Prompts, texts: Texts) {
    this.#session = session;
    this.#prompts = prompts;
    this.#texts = texts;
  }

  /** A document that is open is read again. */
  refresh(uri: vscode.Uri): void {
    this.#changed.fire(uri);
  }

  async provideTextDocumentContent(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const address = addressOf(uri);
    if (address?.kind !== 'file') return '';
    const abort = new AbortController();
    const listening = token.onCancellationRequested(() => abort.abort());
    try {
      return await this.#prompts.interactively(async () => {
        const host = await (await this.#session.mesh()).host(address.vm, { signal: abort.signal });
        const want = address.path.startsWith('/etc/certs/') ? 'certificate' : 'text';
        const { files } = await host.probe({ files: [{ path: address.path, want }] }, { signal: abort.signal });
        const [file] = files;
        if (file?.certificate !== undefined) {
          return secretText({ ...file, facts: file.certificate }, this.#texts);
        }
        return file?.text ?? '';
      });
    } finally {
      listening.dispose();
    }
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
