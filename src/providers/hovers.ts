import * as vscode from 'vscode';
import { fullId } from '../editor/commandIds.ts';
import type { GeneratedTexts } from '../editor/generatedTexts.ts';
import { appendWords } from '../editor/plainMarkdown.ts';
import { sourceText } from '../editor/sourceText.ts';
import type { Texts } from '../editor/texts.ts';
import { addressOf } from '../editor/uris.ts';
import type { ValueSource } from '../mesh/model.ts';

/** Where a value of a generated file came from: which object, which field, read when. */
export class Hovers implements vscode.HoverProvider {
  readonly #generated: GeneratedTexts;
  readonly #texts: Texts;

  constructor(generated: GeneratedTexts, texts: Texts) {
    this.#generated = generated;
    this.#texts = texts;
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | undefined> {
    const address = addressOf(document.uri);
    if (address?.kind !== 'file') return undefined;
    const held = await this.#generated.get(address);
    const sources = held?.sources[position.line] ?? [];
    const line = document.lineAt(position.line).text;
    const at = sources
      .map((source) => ({ source, start: startOf(line, source.value, position.character) }))
      .filter(({ start }) => start >= 0);
    const [first] = at;
    if (first === undefined) return undefined;
    const range = new vscode.Range(position.line, first.start, position.line, first.start + first.source.value.length);
    return new vscode.Hover(
      at.map(({ source }) => this.#markdown(source, address.cluster)),
      range,
    );
  }

  #markdown(source: ValueSource, cluster: string): vscode.MarkdownString {
    const markdown = new vscode.MarkdownString();
    markdown.appendMarkdown('**');
    appendWords(markdown, source.value);
    markdown.appendMarkdown('**: ');
    appendWords(markdown, sourceText(source, this.#texts));
    const { from } = source;
    const target =
      from.kind === 'object' && from.object.kind === 'Service'
        ? { id: 'showObject', argument: { cluster, ref: from.object } }
        : from.kind === 'inventory'
          ? { id: 'revealField', argument: from.field }
          : undefined;
    if (target !== undefined) {
      const command = fullId(target.id as 'showObject' | 'revealField');
      markdown.isTrusted = { enabledCommands: [command] };
      markdown.appendMarkdown(
        `\n\n[${this.#texts.t('editor.hover.open')}](command:${command}?${encodeURIComponent(JSON.stringify([target.argument]))})`,
      );
    }
    return markdown;
  }
}

/** Where a value stands in a line, around a column; -1 where it does not. */
function startOf(line: string, value: string, column: number): number {
  if (value === '') return -1;
  for (let start = line.indexOf(value); start >= 0; start = line.indexOf(value, start + 1)) {
    if (start <= column && column <= start + value.length) return start;
  }
  return -1;
}
