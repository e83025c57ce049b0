import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** Fresh credentials for VMs whose own ran out, or will. */
export const renewCredentials: Command = (app) => async (node, nodes) => {
  const title = app.texts.t('editor.command.renewCredentials');
  const vms = await chooseVms(app, node, nodes, title, true);
  if (vms.length === 0) return;
  await app.plans.run(
    title,
    vms.map((vm) => ({
      make: async (options) => (await app.session.mesh()).planRenew(vm.name, options),
      vms: [vm.name],
      clusters: [vm.cluster],
    })),
  );
};
