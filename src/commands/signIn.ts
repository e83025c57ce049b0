import * as vscode from 'vscode';
import { readSettings } from '../editor/settings.ts';
import type { Command } from './command.ts';
import type { ErrorNode } from '../views/nodes.ts';

/** Signs in to a cluster that answered 401, in a terminal where the program behind the token can ask; the cluster is read again when it ends. */
export const signIn: Command = (app) => async (node) => {
  if (!isClusterError(node) || node.retry.kind !== 'cluster') return;
  const { cluster } = node.retry;
  const context = (await app.session.inventory()).clusters.find(({ name }) => name === cluster)?.context;
  if (context === undefined) return;
  const { kubeconfig } = readSettings();
  const separator = process.platform === 'win32' ? ';' : ':';
  const env = kubeconfig.length === 0 ? undefined : { KUBECONFIG: kubeconfig.join(separator) };
  // A task's terminal stays when the program ends: what it said is there to be read.
  const title = app.texts.t('editor.command.signIn');
  const login = new vscode.ProcessExecution('kubectl', [`--context=${context}`, 'version'], { env });
  const task = new vscode.Task({ type: 'process' }, vscode.TaskScope.Global, `${title}: ${cluster}`, 'Mesh Expansion', login, []);
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated, clear: true, focus: true };
  const execution = await vscode.tasks.executeTask(task);
  const ending = vscode.tasks.onDidEndTask((event) => {
    if (event.execution !== execution) return;
    ending.dispose();
    void app.facts.readAnew(cluster);
  });
  app.context.subscriptions.push(ending);
};

function isClusterError(node: unknown): node is ErrorNode {
  return typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'error' && 'retry' in node;
}
