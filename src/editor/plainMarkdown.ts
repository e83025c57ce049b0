import type * as vscode from 'vscode';

/** Appends text that comes from elsewhere, escaped. Word by word: `appendText` alone makes every space one at which no line may break. */
export function appendWords(markdown: vscode.MarkdownString, text: string): void {
  text.split(/\s+/).forEach((word, index) => {
    if (index > 0) markdown.appendMarkdown(' ');
    markdown.appendText(word);
  });
}
