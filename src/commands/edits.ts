import { fileAddress } from '../editor/targets.ts';
import type { Command } from './command.ts';

/** Back to the generated text. */
export const discardEdits: Command = (app) => async (node) => {
  const address = fileAddress(node);
  if (address === undefined) return;
  await app.generated.discard(address);
  if (app.facts.vm(address.vm).value !== undefined) void app.facts.readVm(address.vm);
};

/** Takes a conflicting edit as made from what is generated now. */
export const keepEdit: Command = (app) => async (node) => {
  const address = fileAddress(node);
  if (address === undefined) return;
  await app.generated.keep(address);
  if (app.facts.vm(address.vm).value !== undefined) void app.facts.readVm(address.vm);
};
