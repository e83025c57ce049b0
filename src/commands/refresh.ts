import * as vscode from 'vscode';
import { clusterName, vmNames } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** Reads again what was read before: of the nodes, or of everything that was opened. What was never opened is left alone. */
export const refresh: Command = (app) => async (node, nodes) => {
  const { facts } = app;
  const known = facts.known();
  const vms = vmNames(node, nodes);
  const cluster = clusterName(node);
  const { inventory } = await app.session.file.read();
  const everything = vms.length === 0 && cluster === undefined;
  const wholeCluster = vms.length === 0 && cluster !== undefined;
  const clusters = everything ? known.clusters : wholeCluster ? [cluster] : [];
  const machines = everything
    ? known.vms
    : wholeCluster
      ? known.vms.filter((name) => inventory.vms.some((vm) => vm.name === name && vm.cluster === cluster))
      : vms;
  app.repaint();
  await vscode.window.withProgress({ location: { viewId: 'meshExpansion.tree' } }, () =>
    Promise.all([...clusters.map((name) => facts.readAnew(name)), ...machines.map((name) => facts.readVmAnew(name))]),
  );
};
