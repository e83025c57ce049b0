import * as vscode from 'vscode';
import { chooseVms } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** `3306, 8080` or `*`; undefined where it is neither. */
function parsePorts(text: string): readonly number[] | '*' | undefined {
  if (text.trim() === '*') return '*';
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const ports = words.map(Number);
  return words.every((word) => /^\d{1,5}$/.test(word)) && ports.every((port) => port >= 1 && port <= 65535)
    ? [...new Set(ports)]
    : undefined;
}

export const exposePorts: Command = (app) => async (node, nodes) => {
  const { t } = app.texts;
  const title = t('editor.command.exposePorts');
  const [vm] = await chooseVms(app, node, nodes, title, false);
  if (vm === undefined) return;
  const text = await vscode.window.showInputBox({
    title: `${title}: ${vm.name}`,
    prompt: t('editor.exposePorts.prompt'),
    value: vm.inboundPorts === '*' ? '*' : (vm.inboundPorts ?? []).join(', '),
    ignoreFocusOut: true,
    validateInput: (value) => (parsePorts(value) === undefined ? t('editor.exposePorts.invalid') : undefined),
  });
  const ports = text === undefined ? undefined : parsePorts(text);
  if (ports === undefined) return;
  const keep = async () => app.session.file.edit((before, mesh) => mesh.setInboundPorts(before, vm.name, ports));
  await app.plans.run(
    title,
    [{ make: async (options) => (await app.session.mesh()).planExposePorts(vm.name, ports, options), vms: [vm.name], clusters: [] }],
    { ended: async (results) => (results?.every((result) => result.ok) === true ? keep() : undefined) },
  );
};
