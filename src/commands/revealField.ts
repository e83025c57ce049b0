import * as vscode from 'vscode';
import type { Command } from './command.ts';

/** Opens the inventory at a field such as `vms[0].address`. */
export const revealField: Command = (app) => async (field) => {
  if (typeof field !== 'string') return;
  const { uri, text } = await app.session.file.read();
  const mesh = await app.session.rooms.mesh();
  const reading = mesh.readInventory(text);
  const path = [...field.matchAll(/[^.[\]]+/g)].map(([part]) => (/^\d+$/.test(part) ? Number(part) : part));
  const position = reading.ok
    ? reading.parsed.position(path)
    : (reading.problems.find((problem) => problem.field === field)?.position ?? reading.problems[0].position);
  const selection = new vscode.Range(position.line - 1, position.column - 1, position.endLine - 1, position.endColumn - 1);
  await vscode.window.showTextDocument(uri, { selection });
};
