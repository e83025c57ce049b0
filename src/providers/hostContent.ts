import * as vscode from 'vscode';
import type { GeneratedTexts } from '../editor/generatedTexts.ts';
import type { Prompts } from '../editor/prompts.ts';
import type { Session } from '../editor/session.ts';
import type { Texts } from '../editor/texts.ts';
import { addressOf, hostScheme } from '../editor/uris.ts';
import type { GeneratedFile } from '../mesh/model.ts';
import { secretText } from './secretText.ts';

export interface HostContentParts {
  readonly session: Session;
  readonly prompts: Prompts;
  readonly texts: Texts;
  readonly generated: GeneratedTexts;
}

/** What is on a VM now: the left side of a diff. A secret shows its facts. A diff that VS Code restores asks no machine: it says how to read. */
export class HostContent implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #parts: HostContentParts;
  readonly #asked = new Set<string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;

  constructor(parts: HostContentParts) {
    this.#parts = parts;
  }

  /** A person wants to see it: it is read when its document is opened, or again where that is open. */
  ask(uri: vscode.Uri): void {
    this.#asked.add(uri.toString());
    this.#changed.fire(uri);
  }

  /** Something was done on these VMs: what is open of them is read again. */
  refresh(vms: readonly string[]): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      const address = uri.scheme === hostScheme ? addressOf(uri) : undefined;
      if (address?.kind === 'file' && vms.includes(address.vm)) this.#changed.fire(uri);
    }
  }

  async provideTextDocumentContent(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const address = addressOf(uri);
    if (address?.kind !== 'file') return '';
    const { session, prompts, texts, generated } = this.#parts;
    if (!this.#asked.has(uri.toString())) return `# ${texts.t('editor.document.notAsked', { vm: address.vm, path: address.path })}\n`;
    const kind = generated.peek(address)?.file?.content.kind ?? kindByPath(address.path);
    const want = ({ text: 'text', secret: 'certificate', minted: 'token' } as const)[kind];
    const abort = new AbortController();
    const listening = token.onCancellationRequested(() => abort.abort());
    try {
      return await prompts.interactively(async () => {
        const host = await (await session.mesh()).host(address.vm, { signal: abort.signal });
        const { files } = await host.probe({ files: [{ path: address.path, want }] }, { signal: abort.signal });
        const [file] = files;
        // Whatever it turned out to be there: what holds a secret here is never shown as text.
        if (want !== 'text') return file === undefined ? '' : secretText({ ...file, facts: file.certificate, token: file.token }, texts);
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

/** For a document that was restored before its file was generated in this window. */
function kindByPath(path: string): GeneratedFile['content']['kind'] {
  if (path.startsWith('/etc/certs/')) return 'secret';
  return /^(\/var)?\/run\/secrets\//.test(path) ? 'minted' : 'text';
}
