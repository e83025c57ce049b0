import * as vscode from 'vscode';
import { fileAddress } from '../editor/targets.ts';
import { fileUri } from '../editor/uris.ts';
import type { Command } from './command.ts';

/** Opens a generated file: generated anew, or as it was last known where the cluster does not answer. */
export const openFile: Command = (app) => async (node) => {
  const address = fileAddress(node);
  if (address === undefined) return;
  try {
    await app.prompts.interactively(() => app.generated.refresh(address.vm));
  } catch (thrown) {
    if ((await app.generated.get(address)) === undefined) throw thrown;
    app.log.warn(app.texts.t('editor.document.lastKnown', { path: address.path }));
  }
  await vscode.window.showTextDocument(fileUri(address));
};
