import * as vscode from 'vscode';
import { fullId, type CommandId } from '../editor/commandIds.ts';
import { ago } from '../editor/durations.ts';
import type { GeneratedTexts } from '../editor/generatedTexts.ts';
import type { Texts } from '../editor/texts.ts';
import { addressOf } from '../editor/uris.ts';

/** What can be done with a generated file, above its first line and not as text in it. */
export class Lenses implements vscode.CodeLensProvider {
  readonly #generated: GeneratedTexts;
  readonly #texts: Texts;
  readonly onDidChangeCodeLenses: vscode.Event<void>;

  constructor(generated: GeneratedTexts, texts: Texts) {
    this.#generated = generated;
    this.#texts = texts;
    this.onDidChangeCodeLenses = (listener, thisArgs, disposables) =>
      generated.onDidChange(() => void listener.call(thisArgs), undefined, disposables);
  }

  async provideCodeLenses({ uri }: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const { t } = this.#texts;
    const address = addressOf(uri);
    const top = new vscode.Range(0, 0, 0, 0);
    const lens = (title: string, id?: CommandId, argument: unknown = uri) =>
      new vscode.CodeLens(top, id === undefined ? { title, command: '' } : { title, command: fullId(id), arguments: [argument] });
    if (address === undefined) return [];
    if (address.kind === 'manifest') {
      const edited = (await this.#generated.editedManifest(address.cluster)) !== undefined;
      return [
        lens(t('editor.lens.setUp', { cluster: address.cluster }), 'setUpCluster', { cluster: address.cluster }),
        ...(edited ? [lens(t('editor.lens.discardYaml'), 'discardEdits')] : []),
        lens(t('editor.lens.manifest')),
      ];
    }
    const held = await this.#generated.get(address);
    if (held === undefined) return [lens(t('editor.lens.read'), 'openFile')];
    const age = ago(held.readAt);
    return [
      lens(t('editor.lens.push', { vm: address.vm }), 'push'),
      lens(t('editor.lens.compare'), 'compare'),
      ...(held.conflict ? [lens(t('editor.lens.keep'), 'keepEdit')] : []),
      ...(held.edited || held.conflict ? [lens(t('editor.lens.discard'), 'discardEdits')] : []),
      lens(
        age === undefined
          ? t('editor.lens.from', { cluster: address.cluster })
          : t('editor.lens.fromAgo', { cluster: address.cluster, age }),
        'openFile',
      ),
    ];
  }
}
