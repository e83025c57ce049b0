import * as vscode from 'vscode';
import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const leaveMesh: Command = (app) => async (node, nodes) => {
  const { t } = app.texts;
  const title = t('editor.command.leaveMesh');
  const vms = await chooseVms(app, node, nodes, title, true);
  if (vms.length === 0) return;
  const results = await app.plans.run(
    title,
    vms.map((vm) => ({
      make: async (options) => (await app.session.mesh()).planLeave(vm.name, options),
      vms: [vm.name],
      clusters: [vm.cluster],
    })),
  );
  const left = vms.filter((_, index) => results?.[index]?.ok === true);
  if (left.length === 0) return;
  const remove = t('editor.leave.remove');
  void vscode.window
    .showInformationMessage(t('editor.leave.question', { vms: left.map(({ name }) => name).join(', ') }), remove)
    .then(async (chosen) => {
      if (chosen === remove) await app.session.file.edit((text, mesh) => left.reduce((sum, vm) => mesh.removeVm(sum, vm.name), text));
    });
};
