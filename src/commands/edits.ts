import * as vscode from 'vscode';
import { fileAddress } from '../editor/targets.ts';
import { addressOf } from '../editor/uris.ts';
import type { Command } from './command.ts';

/** Back to the generated text: of a VM's file, or of a cluster's load balancers. */
export const discardEdits: Command = (app) => async (node) => {
  const uri = node instanceof vscode.Uri ? node : vscode.window.activeTextEditor?.document.uri;
  const document = uri === undefined ? undefined : addressOf(uri);
  if (document?.kind === 'manifest' && (node === undefined || node instanceof vscode.Uri))
    return app.generated.setManifest(document.cluster, undefined);
  const address = fileAddress(node);
  if (address === undefined) return;
  await app.generated.discard(address);
  if (app.facts.vm(address.vm).value !== undefined) void app.facts.readVmAnew(address.vm);
};

/** Takes a conflicting edit as made from what is generated now. */
export const keepEdit: Command = (app) => async (node) => {
  const address = fileAddress(node);
  if (address === undefined) return;
  await app.generated.keep(address);
  if (app.facts.vm(address.vm).value !== undefined) void app.facts.readVmAnew(address.vm);
};
