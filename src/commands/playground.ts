import * as vscode from 'vscode';
import type { Command } from './command.ts';

export const openPlayground: Command = (app) => async () => {
  await app.session.use('playground');
  app.keys.set('meshExpansion.playground', true);
  await vscode.commands.executeCommand('meshExpansion.tree.focus');
};

export const leavePlayground: Command = (app) => async () => {
  await app.session.use('real');
  app.keys.set('meshExpansion.playground', false);
};
