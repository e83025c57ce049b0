import * as vscode from 'vscode';
import { fullId, type CommandId } from '../editor/commandIds.ts';
import { diffOf } from '../editor/diff.ts';
import type { Texts } from '../editor/texts.ts';
import { balancerLine, clusterLine, groupLine, noticeLine, serviceLine, unmanagedLine, workloadGroupLine } from './clusterLines.ts';
import { icon, type Line } from './line.ts';
import { opensAsDiff, type EndpointNode, type ErrorNode, type HintNode, type Node } from './nodes.ts';
import { checksLine, fileLine, unitLine, vmLine } from './vmLines.ts';

/** A node as a tree item. The tooltip is left out: it is made when it is asked for. */
export function toTreeItem(node: Node, texts: Texts): vscode.TreeItem {
  const line = lineOf(node, texts);
  const item = new vscode.TreeItem(line.label, line.open ?? vscode.TreeItemCollapsibleState.None);
  item.id = node.id;
  item.description = line.description;
  item.iconPath = line.icon;
  item.contextValue = line.context;
  item.resourceUri = line.resource;
  const spoken = [line.label, line.state, line.description].filter(
    (part, index, all) => part !== undefined && part !== '' && all.indexOf(part) === index,
  );
  item.accessibilityInformation = { label: spoken.join(', ') };
  item.command = commandOf(node, line, texts);
  return item;
}

/**
 * What a click does. A document is opened by VS Code's own command: it keeps its argument, while one that takes a node finds none when the tree was drawn anew
 * between the press and the release, and a double click then opens nothing.
 */
function commandOf(node: Node, { command, resource }: Line, texts: Texts): vscode.Command | undefined {
  const title = texts.t('editor.tree.open');
  if (node.kind === 'file' && opensAsDiff(node))
    return {
      command: 'vscode.diff',
      title,
      arguments: [...diffOf({ cluster: node.cluster, vm: node.vm, path: node.file.path }, texts), { preview: true }],
    };
  if (node.kind === 'file' && resource !== undefined) return { command: 'vscode.open', title, arguments: [resource, { preview: true }] };
  return command === undefined ? undefined : { command: fullId(command), title, arguments: [node] };
}

function lineOf(node: Node, texts: Texts): Line {
  switch (node.kind) {
    case 'cluster':
      return clusterLine(node, texts);
    case 'notice':
      return noticeLine(node, texts);
    case 'group':
      return groupLine(node, texts);
    case 'workloadGroup':
      return workloadGroupLine(node, texts);
    case 'loadBalancer':
      return balancerLine(node, texts);
    case 'vm':
      return vmLine(node, texts);
    case 'file':
      return fileLine(node, texts);
    case 'unit':
      return unitLine(node, texts);
    case 'checks':
      return checksLine(node, texts);
    case 'service':
      return serviceLine(node, texts);
    case 'endpoint':
      return endpointLine(node);
    case 'unmanaged':
      return unmanagedLine(node, texts);
    case 'error':
      return errorLine(node, texts);
    case 'hint':
      return hintLine(node, texts);
  }
}

function endpointLine({ address, ports, vm }: EndpointNode): Line {
  return {
    label: vm ?? address,
    description: ports.map((port) => `${address}:${port}`).join(' '),
    icon: icon('vm'),
    context: 'endpoint+address',
  };
}

/** Errors of a connection that may be gone once a person has answered its questions. */
const askable: readonly string[] = ['host.auth-failed', 'host.key-unknown'];

function errorLine({ error, retry }: ErrorNode, { t, say }: Texts): Line {
  const tags = error.code === 'kube.unauthorized' ? '+signIn' : '';
  // A VM's own line says what is wrong; the line below it says what to do.
  const text = retry.kind === 'vm' ? (error.nextStep ?? error.userMessage) : error.userMessage;
  const asks = retry.kind === 'vm' && askable.includes(error.code);
  return {
    label: asks ? t('editor.error.connect') : say(text),
    ...(asks ? { description: say(text) } : {}),
    icon: error.kind === 'person' ? icon('question', 'warning') : icon('error', 'bad'),
    context: `error${tags}`,
    command: retry.kind === 'inventory' ? 'openInventory' : 'retry',
    state: t(error.kind === 'person' ? 'editor.state.needs-person' : 'editor.state.error'),
  };
}

const hintCommands: Readonly<Partial<Record<HintNode['hint'], CommandId>>> = {
  noBalancers: 'setUpCluster',
  noGroups: 'newWorkloadGroup',
  noGroupVms: 'joinVm',
  noVms: 'joinVm',
  noServices: 'registerService',
  untrusted: 'manageTrust',
};

function hintLine({ hint }: HintNode, { t }: Texts): Line {
  return {
    label: t(`editor.hint.${hint}`),
    icon: hint === 'untrusted' ? icon('shield', 'warning') : icon(hint === 'reading' ? 'loading~spin' : 'info', 'dim'),
    context: 'hint',
    command: hintCommands[hint],
  };
}
