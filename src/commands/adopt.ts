import * as vscode from 'vscode';
import type { Command } from './command.ts';
import type { UnmanagedNode } from '../views/nodes.ts';

function isUnmanaged(node: unknown): node is UnmanagedNode {
  return typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'unmanaged';
}

/** Gives a machine that only the cluster knows an entry in the inventory. */
export const adopt: Command = (app) => async (node) => {
  const { t } = app.texts;
  const chosen = isUnmanaged(node) ? node : await pick();
  if (chosen === undefined) return;
  const { connections } = await app.session.backend();
  const hosts = await connections.hosts();
  const { address } = chosen.machine;
  const items = hosts
    .map((host) => ({ label: host.alias, description: host.hostName, picked: host.hostName === address }))
    .sort((one, other) => Number(other.picked) - Number(one.picked));
  const host = await vscode.window.showQuickPick(items, {
    title: t('editor.command.adopt'),
    placeHolder: t('editor.adopt.placeholder', { address }),
  });
  if (host === undefined) return;
  const services = chosen.machine.services.map((name) => ({ namespace: name.split('/')[0] ?? '', name: name.split('/')[1] ?? '' }));
  const namespace = services[0]?.namespace ?? 'default';
  await app.session.inventory();
  await app.session.file.edit((text, mesh) =>
    mesh.adoptAddress(text, { name: host.label, cluster: chosen.cluster, namespace, address }, services),
  );
  app.repaint();

  async function pick(): Promise<UnmanagedNode | undefined> {
    const found = app.facts
      .known()
      .clusters.flatMap((cluster) => (app.facts.cluster(cluster).value?.unmanaged ?? []).map((machine) => ({ cluster, machine })));
    if (found.length === 0) {
      void vscode.window.showInformationMessage(t('editor.adopt.none'));
      return undefined;
    }
    const rows = found.map(({ cluster, machine }) => ({
      label: machine.address,
      description: cluster,
      detail: machine.services.join(', '),
      node: { kind: 'unmanaged', id: '', cluster, machine } as const,
    }));
    return (await vscode.window.showQuickPick(rows, { title: t('editor.command.adopt'), placeHolder: t('editor.adopt.pick') }))?.node;
  }
};
