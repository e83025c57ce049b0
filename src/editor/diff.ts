import type * as vscode from 'vscode';
import type { Texts } from './texts.ts';
import { fileUri, hostScheme, type FileAddress } from './uris.ts';

/** Arguments of `vscode.diff` for a file. Left: what is on the VM. Right: what would be pushed. */
export function diffOf(at: FileAddress, { t }: Texts): readonly [left: vscode.Uri, right: vscode.Uri, title: string] {
  return [fileUri(at, hostScheme), fileUri(at), t('editor.compare.title', { vm: at.vm, path: at.path })];
}
