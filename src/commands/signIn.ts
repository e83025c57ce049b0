import * as vscode from 'vscode';
import { readSettings } from '../editor/settings.ts';
import type { Command } from './command.ts';
import type { ErrorNode } from '../views/nodes.ts';

/** Signs in to a cluster that answered 401, in a terminal where the program behind the token can ask; the cluster is read again when the terminal closes. */
export const signIn: Command = (app) => async (node) => {
  if (!isClusterError(node) || node.retry.kind !== 'cluster') return;
  const { cluster } = node.retry;
  const context = (await app.session.inventory()).clusters.find(({ name }) => name === cluster)?.context;
  if (context === undefined) return;
  const { kubeconfig } = readSettings();
  const separator = process.platform === 'win32' ? ';' : ':';
  const env = kubeconfig.length === 0 ? undefined : { KUBECONFIG: kubeconfig.join(separator) };
  const terminal = vscode.window.createTerminal({
    name: app.texts.t('editor.command.signIn'),
    shellPath: 'kubectl',
    shellArgs: [`--context=${context}`, 'version'],
    env,
    iconPath: new vscode.ThemeIcon('key'),
  });
  terminal.show();
  const closing = vscode.window.onDidCloseTerminal((closed) => {
    if (closed !== terminal) return;
    closing.dispose();
    void app.facts.readAnew(cluster);
  });
  app.context.subscriptions.push(closing);
};

function isClusterError(node: unknown): node is ErrorNode {
  return typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'error' && 'retry' in node;
}
