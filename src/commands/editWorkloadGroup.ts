import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import { chooseCluster, clusterName, groupReference } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** Opens the form of a workload group: the node's, else one that the person picks among those of a cluster. */
export const editWorkloadGroup: Command = (app) => async (node) => {
  const chosen = groupOfNode(node) ?? (await pick(app));
  if (chosen !== undefined) app.openForm({ kind: 'group', ...chosen });
};

interface Chosen {
  readonly cluster: string;
  /** NAMESPACE/NAME. */
  readonly group: string;
}

function groupOfNode(node: unknown): Chosen | undefined {
  const [cluster, group] = [clusterName(node), groupReference(node)];
  return cluster === undefined || group === undefined ? undefined : { cluster, group };
}

async function pick(app: App): Promise<Chosen | undefined> {
  const { t } = app.texts;
  const title = t('editor.command.editWorkloadGroup');
  const cluster = await chooseCluster(app, undefined, title);
  if (cluster === undefined) return undefined;
  const mesh = await app.session.mesh();
  const groups = await app.prompts.interactively(() => mesh.workloadGroups(cluster.name));
  if (groups === undefined || groups.length === 0) {
    const create = t('editor.command.newWorkloadGroup');
    const text = t(groups === undefined ? 'editor.workloadGroup.notServed' : 'editor.workloadGroup.none', { cluster: cluster.name });
    const answer = await vscode.window.showInformationMessage(text, ...(groups === undefined ? [] : [create]));
    if (answer === create) app.openForm({ kind: 'group', cluster: cluster.name });
    return undefined;
  }
  const rows = groups.map(({ group, entries }) => ({
    label: `${group.namespace}/${group.name}`,
    description: t('editor.workloadGroup.entries', { count: entries.length }),
    iconPath: new vscode.ThemeIcon('layers'),
  }));
  const row = await vscode.window.showQuickPick(rows, { title, placeHolder: t('editor.pick.group') });
  return row === undefined ? undefined : { cluster: cluster.name, group: row.label };
}
