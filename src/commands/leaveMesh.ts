import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const leaveMesh: Command = (app) => async (node, nodes) => {
  const { t } = app.texts;
  const title = t('editor.command.leaveMesh');
  const vms = await chooseVms(app, node, nodes, title, true);
  if (vms.length === 0) return;
  const remove = async () => app.session.file.edit((text, mesh) => vms.reduce((sum, vm) => mesh.removeVm(sum, vm.name), text));
  await app.plans.run(
    title,
    vms.map((vm) => ({
      make: async (options) => (await app.session.mesh()).planLeave(vm.name, options),
      vms: [vm.name],
      clusters: [vm.cluster],
    })),
    { afterwards: { text: t('editor.leave.question'), label: t('editor.leave.remove'), run: remove } },
  );
};
