import * as vscode from 'vscode';
import { clusterName } from '../editor/targets.ts';
import { manifestUri } from '../editor/uris.ts';
import type { Command } from './command.ts';

/** Opens a cluster's load balancers as a document: what Set Up Cluster applies, as generated or as edited before. */
export const openEdit: Command = (app) => async (node) => {
  const cluster = clusterName(node);
  if (cluster === undefined) return;
  const preview = await app.prompts.interactively(async () => (await app.session.mesh()).setupPreview(cluster));
  await app.generated.offerManifest(cluster, preview.manifest);
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(manifestUri(cluster)), {
    viewColumn: vscode.ViewColumn.Beside,
  });
};
