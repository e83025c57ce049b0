import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const check: Command = (app) => async (node, nodes) => {
  const vms = await chooseVms(app, node, nodes, app.texts.t('editor.command.check'), true);
  for (const vm of vms) await app.runChecks(vm.name);
};
