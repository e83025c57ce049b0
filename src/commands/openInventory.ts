import * as vscode from 'vscode';
import { readText, writeText } from '../editor/files.ts';
import { clusterName, vmNames } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** Opens mesh-expansion.yaml, at the entry of the node. */
export const openInventory: Command = (app) => async (node, nodes) => {
  await app.session.inventory();
  const uri = app.session.file.uri();
  if ((await readText(uri)) === undefined) await writeText(uri, 'version: 1\n');
  const document = await vscode.workspace.openTextDocument(uri);
  const name =
    vmNames(node, nodes)[0] ??
    (typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'service' && 'name' in node
      ? String(node.name)
      : clusterName(node));
  const line =
    name === undefined
      ? -1
      : document
          .getText()
          .split('\n')
          .findIndex((text) => new RegExp(`\\b(name|context):\\s*['"]?${escape(name)}['"]?\\s*(#.*)?$`).test(text.trimEnd()));
  await vscode.window.showTextDocument(document, line < 0 ? {} : { selection: document.lineAt(line).range });
};

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
