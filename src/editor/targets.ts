import * as vscode from 'vscode';
import type { ClusterEntry, ServiceEntry, VmEntry } from '../mesh/model.ts';
import type { App } from './app.ts';
import { addressOf, type FileAddress } from './uris.ts';

/** What commands are called with: tree nodes, URIs of documents, or nothing from the palette. Untrusted: keybindings can pass anything. */
export interface Target {
  readonly kind?: unknown;
  readonly vm?: unknown;
  readonly cluster?: unknown;
}

/** Stands for a row that VS Code no longer names: it was drawn anew while its menu was open. Not the palette, where the active document counts. */
export const UNNAMED_ROW: object = Object.freeze({});

/** Names of the VMs that nodes or documents stand for. */
export function vmNames(node: unknown, nodes: unknown): readonly string[] {
  const all = Array.isArray(nodes) && nodes.length > 0 ? (nodes as readonly unknown[]) : [node];
  return [...new Set(all.map(vmName).filter((name) => name !== undefined))];
}

function vmName(node: unknown): string | undefined {
  if (node instanceof vscode.Uri) {
    const address = addressOf(node);
    return address?.kind === 'file' ? address.vm : undefined;
  }
  if (typeof node !== 'object' || node === null || !('vm' in node)) return undefined;
  if (typeof node.vm === 'string') return node.vm;
  return typeof node.vm === 'object' && node.vm !== null && 'name' in node.vm && typeof node.vm.name === 'string'
    ? node.vm.name
    : undefined;
}

/** Name of the cluster that a node stands for or is below. */
export function clusterName(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('cluster' in node)) return undefined;
  if (typeof node.cluster === 'string') return node.cluster;
  return typeof node.cluster === 'object' && node.cluster !== null && 'name' in node.cluster && typeof node.cluster.name === 'string'
    ? node.cluster.name
    : undefined;
}

/** NAMESPACE/NAME of the workload group that a node stands for. */
export function groupReference(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('kind' in node) || node.kind !== 'workloadGroup' || !('facts' in node))
    return undefined;
  const { facts } = node;
  if (typeof facts !== 'object' || facts === null || !('ref' in facts)) return undefined;
  const { ref } = facts;
  return typeof ref === 'object' && ref !== null && 'name' in ref && 'namespace' in ref
    ? `${String(ref.namespace)}/${String(ref.name)}`
    : undefined;
}

/** The generated file that a node, a URI or the active editor stands for. */
export function fileAddress(node: unknown): FileAddress | undefined {
  if (typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'file' && 'file' in node) {
    const { file } = node;
    const [cluster, vm] = [clusterName(node), vmName(node)];
    return typeof file === 'object' &&
      file !== null &&
      'path' in file &&
      typeof file.path === 'string' &&
      cluster !== undefined &&
      vm !== undefined
      ? { cluster, vm, path: file.path }
      : undefined;
  }
  const uri = node instanceof vscode.Uri ? node : node === undefined ? vscode.window.activeTextEditor?.document.uri : undefined;
  const address = uri === undefined ? undefined : addressOf(uri);
  return address?.kind === 'file' ? address : undefined;
}

type VmItem = vscode.QuickPickItem & { readonly vm: VmEntry };

/**
 * The VMs of a command: those of its nodes, else of the active document, else those that the person picks from a list that shows their state.
 * Where VS Code names only some of the selected rows, the list comes with those picked: nobody means a part of what is selected.
 */
export async function chooseVms(app: App, node: unknown, nodes: unknown, title: string, many: boolean): Promise<readonly VmEntry[]> {
  const { inventory } = await app.session.file.read();
  const named = vmNames(node ?? vscode.window.activeTextEditor?.document.uri, nodes);
  const someUnnamed = Array.isArray(nodes) && nodes.includes(undefined);
  if (named.length > 0 && !someUnnamed) return inventory.vms.filter((vm) => named.includes(vm.name));
  if (inventory.vms.length === 0) {
    const join = app.texts.t('editor.action.join');
    if ((await vscode.window.showInformationMessage(app.texts.t('editor.noVms'), join)) === join) app.openForm({ kind: 'join' });
    return [];
  }
  const recent = app.context.workspaceState.get<readonly string[]>('recentVms', []);
  const rank = (name: string) => (recent.includes(name) ? recent.indexOf(name) : recent.length);
  const items = [...inventory.vms]
    .sort((one, other) => rank(one.name) - rank(other.name) || one.name.localeCompare(other.name))
    .map((vm): VmItem => ({
      label: vm.name,
      description: vm.cluster,
      detail: vmDetail(app, vm.name),
      iconPath: new vscode.ThemeIcon('vm'),
      picked: many && named.includes(vm.name),
      vm,
    }));
  const placeHolder = app.texts.t(many ? 'editor.pick.vms' : 'editor.pick.vm');
  const picked = many
    ? await vscode.window.showQuickPick(items, { title, placeHolder, canPickMany: true, matchOnDescription: true })
    : await one(vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true }));
  const chosen = picked?.map(({ vm }) => vm) ?? [];
  if (chosen.length > 0)
    await app.context.workspaceState.update('recentVms', [...new Set([...chosen.map(({ name }) => name), ...recent])].slice(0, 20));
  return chosen;
}

async function one<T>(picked: Thenable<T | undefined>): Promise<readonly T[] | undefined> {
  const item = await picked;
  return item === undefined ? undefined : [item];
}

function vmDetail(app: App, name: string): string {
  const { value, error } = app.facts.vm(name);
  if (error !== undefined) return app.texts.say(error.userMessage);
  return value === undefined ? app.texts.t('editor.vm.unknown') : app.texts.say(value.summary);
}

/** The cluster of a command: its node's, the only one, else the picked one. */
export async function chooseCluster(app: App, node: unknown, title: string): Promise<ClusterEntry | undefined> {
  const { clusters } = await app.session.inventory();
  const named = clusterName(node);
  const [only] = clusters;
  if (named !== undefined) return clusters.find(({ name }) => name === named);
  if (clusters.length <= 1) return only;
  const items = clusters.map((cluster) => {
    const { value, error } = app.facts.cluster(cluster.name);
    const state =
      error !== undefined
        ? app.texts.say(error.userMessage)
        : value === undefined
          ? app.texts.t('editor.tree.notContacted')
          : app.texts.t('editor.tree.release', { release: value.controlPlane.release });
    return { label: cluster.name, description: state, iconPath: new vscode.ThemeIcon('server-environment'), cluster };
  });
  return (await vscode.window.showQuickPick(items, { title, placeHolder: app.texts.t('editor.pick.cluster') }))?.cluster;
}

/** A service of the inventory: the node's, else the picked one. One that only the cluster knows has no machines to take out: that is said. */
export async function chooseService(app: App, node: unknown, title: string): Promise<ServiceEntry | undefined> {
  const { inventory } = await app.session.file.read();
  if (typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'service' && 'name' in node && 'namespace' in node) {
    const found = inventory.services.find((service) => service.name === node.name && service.namespace === node.namespace);
    const name = `${String(node.namespace)}/${String(node.name)}`;
    if (found === undefined) void vscode.window.showInformationMessage(app.texts.t('editor.service.unlisted', { name }));
    return found;
  }
  const items = inventory.services.map((service) => {
    const registered = app.facts
      .cluster(service.cluster)
      .value?.services.some(({ ref }) => ref.name === service.name && ref.namespace === service.namespace);
    const state = registered === undefined ? '' : app.texts.t(registered ? 'editor.service.registered' : 'editor.service.absent');
    return {
      label: `${service.namespace}/${service.name}`,
      description: service.cluster,
      detail: state,
      iconPath: new vscode.ThemeIcon('symbol-interface'),
      service,
    };
  });
  return (await vscode.window.showQuickPick(items, { title, placeHolder: app.texts.t('editor.pick.service') }))?.service;
}

/** Name of a service as the core takes it. */
export function serviceReference(service: Pick<ServiceEntry, 'name' | 'namespace'>): string {
  return `${service.name}.${service.namespace}`;
}
