import { chooseCluster } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const newWorkloadGroup: Command = (app) => async (node) => {
  const cluster = await chooseCluster(app, node, app.texts.t('editor.command.newWorkloadGroup'));
  if (cluster !== undefined) app.openForm({ kind: 'group', cluster: cluster.name });
};
