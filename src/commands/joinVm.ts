import { clusterName, groupReference, vmNames } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const joinVm: Command = (app) => async (node, nodes) => {
  const [vm] = vmNames(node, nodes);
  app.openForm({ kind: 'join', cluster: clusterName(node), vm, group: groupReference(node) });
};
