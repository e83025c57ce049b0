import * as vscode from 'vscode';
import type { Facts } from '../editor/facts.ts';
import type { Texts } from '../editor/texts.ts';
import { addressOf, generatedScheme } from '../editor/uris.ts';
import type { FileDrift } from '../mesh/mesh.ts';

const badges: Readonly<Record<Exclude<FileDrift, 'same'>, { readonly badge: string; readonly color: string }>> = {
  differs: { badge: 'M', color: 'gitDecoration.modifiedResourceForeground' },
  mode: { badge: 'P', color: 'gitDecoration.modifiedResourceForeground' },
  missing: { badge: 'A', color: 'gitDecoration.addedResourceForeground' },
};

/** Marks generated files that are not on the VM as they should be. */
export class Decorations implements vscode.FileDecorationProvider {
  readonly #facts: Facts;
  readonly #texts: Texts;
  readonly onDidChangeFileDecorations: vscode.Event<undefined>;

  constructor(facts: Facts, texts: Texts) {
    this.#facts = facts;
    this.#texts = texts;
    this.onDidChangeFileDecorations = (listener, thisArgs, disposables) =>
      facts.onDidChange(() => void listener.call(thisArgs, undefined), undefined, disposables);
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== generatedScheme) return undefined;
    const address = addressOf(uri);
    const drift =
      address?.kind === 'file' ? this.#facts.vm(address.vm).value?.files.find(({ file }) => file.path === address.path)?.drift : undefined;
    if (drift === undefined || drift === 'same') return undefined;
    const { badge, color } = badges[drift];
    return new vscode.FileDecoration(badge, this.#texts.t(`editor.drift.${drift}`), new vscode.ThemeColor(color));
  }
}
