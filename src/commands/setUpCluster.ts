import { chooseCluster } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const setUpCluster: Command = (app) => async (node) => {
  const cluster = await chooseCluster(app, node, app.texts.t('editor.command.setUpCluster'));
  if (cluster !== undefined) app.openForm({ kind: 'setup', cluster: cluster.name });
};
