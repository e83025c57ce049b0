import * as vscode from 'vscode';
import { readSettings } from '../editor/settings.ts';
import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** A shell on the VM, through the user's own ssh. */
export const openTerminal: Command = (app) => async (node, nodes) => {
  const { t } = app.texts;
  const [vm] = await chooseVms(app, node, nodes, t('editor.command.openTerminal'), false);
  if (vm === undefined) return;
  if (app.session.source() === 'playground') {
    void vscode.window.showInformationMessage(t('editor.terminal.playground', { vm: vm.name }));
    return;
  }
  const { sshConfig } = readSettings();
  const shellArgs = [...(sshConfig === undefined ? [] : ['-F', sshConfig]), '--', vm.host];
  vscode.window.createTerminal({ name: vm.name, shellPath: 'ssh', shellArgs, iconPath: new vscode.ThemeIcon('vm') }).show();
};
