import * as vscode from 'vscode';
import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** A new window on the VM, by whichever Remote-SSH extension is installed. */
export const openRemoteSsh: Command = (app) => async (node, nodes) => {
  const { t } = app.texts;
  const [vm] = await chooseVms(app, node, nodes, t('editor.command.openRemoteSsh'), false);
  if (vm === undefined) return;
  const installed = ['ms-vscode-remote.remote-ssh', 'jeanp413.open-remote-ssh'].some(
    (id) => vscode.extensions.getExtension(id) !== undefined,
  );
  if (!installed) {
    const search = t('editor.remoteSsh.search');
    if ((await vscode.window.showInformationMessage(t('editor.remoteSsh.missing'), search)) === search)
      await vscode.commands.executeCommand('workbench.extensions.search', 'remote ssh');
    return;
  }
  await vscode.commands.executeCommand(
    'vscode.openFolder',
    vscode.Uri.from({ scheme: 'vscode-remote', authority: `ssh-remote+${vm.host}`, path: '/' }),
    { forceNewWindow: true },
  );
};
