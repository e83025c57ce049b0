import * as vscode from 'vscode';
import type { Command } from './command.ts';

/** Takes back the acceptance of host keys, e.g. of a machine that was made anew: it is asked about again at the next connection. */
export const forgetHostKey: Command = (app) => async () => {
  const { t } = app.texts;
  const lines = app.acceptedKeys.lines();
  if (lines.length === 0) {
    void vscode.window.showInformationMessage(t('editor.hostKeys.none'));
    return;
  }
  const items = lines.map((line) => {
    const [hosts = '', type = ''] = line.split(' ');
    // With HashKnownHosts the name is not to be read.
    return {
      label: hosts.startsWith('|') ? t('editor.hostKeys.hashed') : hosts,
      description: type,
      iconPath: new vscode.ThemeIcon('key'),
      line,
    };
  });
  const title = t('editor.command.forgetHostKey');
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: t('editor.hostKeys.pick'), canPickMany: true });
  if (chosen === undefined || chosen.length === 0) return;
  await app.acceptedKeys.forget(chosen.map(({ line }) => line));
  void vscode.window.showInformationMessage(t('editor.hostKeys.forgotten', { hosts: chosen.map(({ label }) => label).join(', ') }));
};
