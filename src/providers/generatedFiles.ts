import * as vscode from 'vscode';
import type { Facts } from '../editor/facts.ts';
import type { GeneratedTexts, HeldText } from '../editor/generatedTexts.ts';
import type { Texts } from '../editor/texts.ts';
import { addressOf, generatedScheme, type FileAddress } from '../editor/uris.ts';
import { secretText } from './secretText.ts';

const encoder = new TextEncoder();

/** Generated files as documents. Reading contacts no cluster and mints no token: a document restored at start shows the last text. */
export class GeneratedFiles implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #generated: GeneratedTexts;
  readonly #facts: Facts;
  readonly #texts: Texts;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #subscriptions: readonly vscode.Disposable[];
  readonly #afterSave: (vm: string) => void;
  readonly onDidChangeFile = this.#changed.event;

  /** `afterSave` is told the VM whose file was edited. */
  constructor(generated: GeneratedTexts, facts: Facts, texts: Texts, afterSave: (vm: string) => void) {
    this.#generated = generated;
    this.#facts = facts;
    this.#texts = texts;
    this.#afterSave = afterSave;
    const fire = (uris: readonly vscode.Uri[]) => this.#changed.fire(uris.map((uri) => ({ uri, type: vscode.FileChangeType.Changed })));
    this.#subscriptions = [generated.onDidChange(fire), facts.onDidChange(() => fire(this.#openSecrets()))];
  }

  /** Their documents say what was last read on the VM. */
  #openSecrets(): readonly vscode.Uri[] {
    return vscode.workspace.textDocuments
      .map(({ uri }) => uri)
      .filter((uri) => {
        const address = uri.scheme === generatedScheme ? addressOf(uri) : undefined;
        return address?.kind === 'file' && this.#generated.peek(address)?.secret === true;
      });
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const address = addressOf(uri);
    if (address === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    if (address.kind === 'manifest') {
      const text = await this.#generated.manifest(address.cluster);
      if (text === undefined) throw vscode.FileSystemError.FileNotFound(uri);
      return { type: vscode.FileType.File, ctime: 0, mtime: Date.now(), size: encoder.encode(text).byteLength };
    }
    const held = await this.#generated.get(address);
    const size = encoder.encode(this.#textOf(held, address)).byteLength;
    const permissions = held?.editable === true ? undefined : vscode.FilePermission.Readonly;
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: Math.max(held?.changedAt ?? 0, (held?.secret === true ? this.#facts.vm(address.vm).at : 0) ?? 0),
      size,
      permissions,
    };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const address = addressOf(uri);
    if (address === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    if (address.kind === 'file') return encoder.encode(this.#textOf(await this.#generated.get(address), address));
    const text = await this.#generated.manifest(address.cluster);
    if (text === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return encoder.encode(text);
  }

  async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    const address = addressOf(uri);
    if (address === undefined) throw vscode.FileSystemError.NoPermissions(uri);
    const text = new TextDecoder().decode(content);
    if (address.kind === 'manifest') return this.#generated.setManifest(address.cluster, text);
    await this.#generated.save(address, text);
    this.#afterSave(address.vm);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  #textOf(held: HeldText | undefined, { vm, path }: FileAddress): string {
    if (held === undefined) return `# ${this.#texts.t('editor.document.notRemembered', { path })}\n`;
    if (!held.secret) return held.text;
    const { file } = held;
    const minted = file?.content.kind === 'minted';
    return secretText(
      {
        path,
        facts: file?.content.kind === 'secret' ? file.content.facts : undefined,
        minted,
        token: minted ? this.#facts.vm(vm).value?.state.files.find((remote) => remote.path === path)?.token : undefined,
        mode: file?.mode,
        owner: file?.owner,
        group: file?.group,
      },
      this.#texts,
    );
  }
}
