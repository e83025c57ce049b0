import { vmNames } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** The last results of a VM's checks as a document. */
export const showChecks: Command = (app) => async (node, nodes) => {
  const [vm] = vmNames(node, nodes);
  const run = vm === undefined ? undefined : app.facts.checks(vm);
  if (vm === undefined || run === undefined) return;
  await app.showText(`${vm}.checks.txt`, app.checksText(vm, run.results), 'shellscript');
};
