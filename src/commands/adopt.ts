import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import type { Command } from './command.ts';
import type { UnmanagedNode } from '../views/nodes.ts';

/** Machines that only the cluster knows: of its registered services, and of its workload groups. */
function unmanagedOf(app: App, cluster: string): readonly UnmanagedNode[] {
  const { unmanaged = [], workloadGroups = [] } = app.facts.cluster(cluster).value ?? {};
  const entries = workloadGroups.flatMap(({ group, entries: all }) =>
    all
      .filter(({ vm }) => vm === undefined)
      .map((entry) => ({ machine: { address: entry.address ?? entry.ref.name, services: [] }, from: { group, entry } })),
  );
  const listed = new Set(entries.map(({ machine }) => machine.address));
  return [...entries, ...unmanaged.filter(({ address }) => !listed.has(address)).map((machine) => ({ machine }))].map((one) => ({
    kind: 'unmanaged',
    id: '',
    cluster,
    ...one,
  }));
}

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
  const group = chosen.from?.group;
  const namespace = group?.namespace ?? services[0]?.namespace ?? 'default';
  const fields = {
    name: host.label,
    cluster: chosen.cluster,
    namespace,
    // An entry without an address is told apart by its object's name, which is none.
    ...(chosen.from !== undefined && chosen.from.entry.address === undefined ? {} : { address }),
    ...(group === undefined ? {} : { workloadGroup: group.name }),
    ...(group === undefined || group.serviceAccount === 'default' ? {} : { serviceAccount: group.serviceAccount }),
  };
  await app.session.file.edit((text, mesh) => {
    const known = mesh.readInventory(text);
    const named = known.ok && known.parsed.inventory.clusters.some(({ name }) => name === chosen.cluster);
    const started = named ? text : mesh.addCluster(text, { context: chosen.cluster });
    return mesh.adoptAddress(started, fields, services);
  });
  await app.facts.readCluster(chosen.cluster);

  async function pick(): Promise<UnmanagedNode | undefined> {
    const found = app.facts.known().clusters.flatMap((cluster) => unmanagedOf(app, cluster));
    if (found.length === 0) {
      void vscode.window.showInformationMessage(t('editor.adopt.none'));
      return undefined;
    }
    const rows = found.map((machine) => ({
      label: machine.machine.address,
      description: machine.cluster,
      detail:
        machine.from === undefined ? machine.machine.services.join(', ') : `${machine.from.group.namespace}/${machine.from.group.name}`,
      node: machine,
    }));
    return (await vscode.window.showQuickPick(rows, { title: t('editor.command.adopt'), placeHolder: t('editor.adopt.pick') }))?.node;
  }
};
