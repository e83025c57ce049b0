import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const rollBack: Command = (app) => async (node, nodes) => {
  const title = app.texts.t('editor.command.rollBack');
  const vms = await chooseVms(app, node, nodes, title, true);
  if (vms.length === 0) return;
  await app.plans.run(
    title,
    vms.map((vm) => ({ make: async (options) => (await app.session.mesh()).planRollback(vm.name, options), vms: [vm.name], clusters: [] })),
  );
};
