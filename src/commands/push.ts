import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const push: Command = (app) => async (node, nodes) => {
  const title = app.texts.t('editor.command.push');
  const vms = await chooseVms(app, node, nodes, title, true);
  if (vms.length === 0) return;
  await app.plans.run(
    title,
    vms.map((vm) => ({ make: async (options) => (await app.session.mesh()).planPush(vm.name, options), vms: [vm.name], clusters: [] })),
  );
};
