import * as vscode from 'vscode';
import type { Command } from './command.ts';

/** The tree's own find widget. */
export const filter: Command = () => async () => {
  await vscode.commands.executeCommand('meshExpansion.tree.focus');
  await vscode.commands.executeCommand('list.find');
};
