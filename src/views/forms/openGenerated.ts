import * as vscode from 'vscode';
import type { App } from '../../editor/app.ts';
import { fileUri } from '../../editor/uris.ts';

/** Opens a generated file of the preview beside the form. `file` is `<step target>\n<path on the VM>`, as previewOf.ts writes it. */
export async function openGenerated(
  app: App,
  cluster: string,
  vms: readonly string[],
  hosts: readonly string[],
  file: string,
): Promise<void> {
  const [target = '', path = ''] = file.split('\n');
  const index = Math.max(vms.indexOf(target), hosts.indexOf(target), 0);
  const vm = vms[index];
  if (vm === undefined) return;
  await app.generated.refresh(vm);
  const uri = fileUri({ cluster, vm, path });
  if ((await app.generated.get({ cluster, vm, path })) === undefined) return;
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}
