import type { Command } from './command.ts';
import type { ErrorNode } from '../views/nodes.ts';

/** Reads again what failed; here a connection may ask for a password or a host key. */
export const retry: Command = (app) => async (node) => {
  if (!isError(node)) return;
  const { retry: what } = node;
  await app.prompts.interactively(async () => {
    if (what.kind === 'cluster') await app.facts.readAnew(what.cluster);
    else if (what.kind === 'vm') await app.facts.readVm(what.vm);
    else app.repaint();
  });
};

function isError(node: unknown): node is ErrorNode {
  return typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'error' && 'retry' in node;
}
