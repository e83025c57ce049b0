import * as vscode from 'vscode';
import { chooseVms, fileAddress } from '../editor/targets.ts';
import { diffOf } from '../editor/diff.ts';
import { fileUri, hostScheme } from '../editor/uris.ts';
import type { App } from '../editor/app.ts';
import type { Command } from './command.ts';

/** Left: what is on the VM. Right: what would be pushed. One file as a diff, a whole VM as a list of diffs. */
export const compare: Command = (app) => async (node, nodes) => {
  const { t } = app.texts;
  const address = fileAddress(node);
  if (address !== undefined) {
    await app.prompts.interactively(() => app.generated.refresh(address.vm));
    await openDiff(app, address.cluster, address.vm, address.path);
    return;
  }
  const [vm] = await chooseVms(app, node, nodes, t('editor.command.compare'), false);
  if (vm === undefined) return;
  const status = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('editor.compare.reading', { vm: vm.name }) },
    async () => {
      await app.prompts.interactively(() => app.generated.refresh(vm.name));
      return app.prompts.interactively(() => app.facts.readVm(vm.name));
    },
  );
  if (status.error !== undefined) throw status.error;
  const differing = (status.value?.files ?? []).filter(({ file, drift }) => drift !== 'same' && file.content.kind === 'text');
  const [only] = differing;
  if (only === undefined) {
    void vscode.window.showInformationMessage(t('editor.compare.same', { vm: vm.name }));
    return;
  }
  if (differing.length === 1) return openDiff(app, vm.cluster, vm.name, only.file.path);
  const resources = differing.map(({ file }) => {
    const at = { cluster: vm.cluster, vm: vm.name, path: file.path };
    app.askHost(fileUri(at, hostScheme));
    return [fileUri(at), fileUri(at, hostScheme), fileUri(at)];
  });
  await vscode.commands.executeCommand('vscode.changes', t('editor.compare.titleAll', { vm: vm.name }), resources);
};

async function openDiff(app: App, cluster: string, vm: string, path: string): Promise<void> {
  const at = { cluster, vm, path };
  app.askHost(fileUri(at, hostScheme));
  await vscode.commands.executeCommand('vscode.diff', ...diffOf(at, app.texts));
}
