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
  const document = await vscode.workspace.openTextDocument(fileUri(address));
  if (document.languageId === 'plaintext' && app.generated.peek(address)?.secret === false)
    await vscode.languages.setTextDocumentLanguage(document, 'properties');
  await vscode.window.showTextDocument(document);
};
