import { askPackage } from '../editor/packagePrompt.ts';
import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** A newer sidecar package on joined VMs: the same for all of them. */
export const upgradeSidecar: Command = (app) => async (node, nodes) => {
  const title = app.texts.t('editor.command.upgradeSidecar');
  const vms = await chooseVms(app, node, nodes, title, true);
  if (vms.length === 0) return;
  const source = await askPackage(app.texts, `${title}: ${vms.map(({ name }) => name).join(', ')}`);
  if (source === undefined) return;
  await app.plans.run(
    title,
    vms.map((vm) => ({
      make: async (options) => (await app.session.mesh()).planUpgrade(vm.name, { package: source }, options),
      vms: [vm.name],
      clusters: [vm.cluster],
    })),
  );
};
