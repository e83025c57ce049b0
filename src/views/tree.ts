import * as vscode from 'vscode';
import { asMeshError, type MeshError } from '../mesh/errors.ts';
import type { ContextSetter } from '../editor/contextKeys.ts';
import type { Facts } from '../editor/facts.ts';
import type { Session } from '../editor/session.ts';
import type { Texts } from '../editor/texts.ts';
import { childrenOf, clusterNodes, errorNode, type Known } from './buildNodes.ts';
import type { ClusterNode, Node } from './nodes.ts';
import { tooltipOf } from './tooltips.ts';
import { toTreeItem } from './treeItems.ts';
import { attentionCount } from './vmNodes.ts';
import { vmsBelow } from './workloadGroupNodes.ts';

/** Beyond this many VMs in one group, each is asked only when it is opened itself. */
const ASK_ALL_UP_TO = 20;
const REPAINT_MS = 50;

export interface TreeParts {
  readonly session: Session;
  readonly facts: Facts;
  readonly texts: Texts;
  readonly keys: ContextSetter;
}

/** The tree's data. Children come from what is known at once; opening a node for the first time starts its read, and the answer repaints it. */
export class MeshTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #parts: TreeParts;
  readonly #changed = new vscode.EventEmitter<Node | Node[] | undefined>();
  readonly #subscriptions: vscode.Disposable[];
  readonly onDidChangeTreeData = this.#changed.event;
  /** Called after each paint with the number of VMs that need attention. */
  onAttention: (count: number) => void = () => undefined;
  #repaint: ReturnType<typeof setTimeout> | undefined;
  #contextsError: MeshError | undefined;
  #known: Known | undefined;
  /** The rows of clusters as VS Code has them, and what each was made from when it was drawn last. */
  #clusters: readonly ClusterNode[] = [];
  readonly #drawn = new Map<string, readonly unknown[]>();
  #everything = false;

  constructor(parts: TreeParts) {
    this.#parts = parts;
    const { session, facts } = parts;
    this.#subscriptions = [
      facts.onDidChange(() => this.#soon()),
      session.onDidReset(() => this.repaint()),
      session.file.onDidChange(() => this.repaint()),
    ];
  }

  /** Draws everything again from what is known, soon; several calls become one. */
  repaint(): void {
    this.#everything = true;
    this.#soon();
  }

  #soon(): void {
    this.#repaint ??= setTimeout(() => {
      this.#repaint = undefined;
      this.#paint();
    }, REPAINT_MS);
  }

  /** What was read of one cluster draws its rows alone: VS Code closes a node again that a person opens while the rows around it are drawn. */
  #paint(): void {
    const known = this.#known;
    if (this.#everything || known === undefined) {
      this.#everything = false;
      this.#changed.fire(undefined);
      return;
    }
    const changed = this.#clusters.filter(({ cluster }) => this.#draw(cluster.name, known));
    this.#tell(known);
    if (changed.length > 0) this.#changed.fire(changed);
  }

  /** Remembers what a cluster's rows are drawn from now; true where it is other than the last time. */
  #draw(cluster: string, known: Known): boolean {
    const before = this.#drawn.get(cluster) ?? [];
    const now = madeFrom(cluster, known);
    this.#drawn.set(cluster, now);
    return now.length !== before.length || now.some((part, index) => part !== before[index]);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return toTreeItem(this.#now(node), this.#parts.texts);
  }

  resolveTreeItem(item: vscode.TreeItem, node: Node): vscode.TreeItem {
    item.tooltip = tooltipOf(this.#now(node), this.#parts.texts);
    return item;
  }

  /** VS Code keeps the node that it was given; what is known of its cluster may be newer. */
  #now(node: Node): Node {
    return node.kind === 'cluster' ? { ...node, facts: this.#parts.facts.cluster(node.cluster.name) } : node;
  }

  getParent(node: Node): Node | undefined {
    return node.parent;
  }

  async getChildren(node?: Node): Promise<Node[]> {
    const known = node === undefined || this.#known === undefined ? await this.#read() : this.#known;
    if (node === undefined) return this.#roots(known);
    this.#start(node, known);
    return [...childrenOf(node, known)];
  }

  dispose(): void {
    clearTimeout(this.#repaint);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  async #read(): Promise<Known> {
    const { session, facts } = this.#parts;
    this.#contextsError = undefined;
    try {
      await session.contexts();
    } catch (thrown) {
      this.#contextsError = asMeshError(thrown);
    }
    const inventory = await session.inventory();
    this.#known = {
      inventory,
      playground: session.source() === 'playground',
      cluster: (name) => facts.cluster(name),
      vm: (name) => facts.vm(name),
      checks: (vm) => facts.checks(vm),
      now: () => new Date(),
    };
    return this.#known;
  }

  async #roots(known: Known): Promise<Node[]> {
    const { error } = await this.#parts.session.file.read();
    const errors: Node[] = [];
    if (this.#contextsError !== undefined) errors.push(errorNode('contexts', this.#contextsError, { kind: 'root' }));
    if (error !== undefined) errors.push(errorNode('inventory', error, { kind: 'inventory' }));
    this.#parts.keys.set('meshExpansion.roots', known.inventory.clusters.length > 0 || errors.length > 0 ? 'some' : 'none');
    this.#tell(known);
    // The same objects again where nothing of them changed: VS Code draws only a node that it was given.
    this.#clusters = clusterNodes(known).map((node) => this.#clusters.find((old) => isSame(old, node)) ?? node);
    for (const { cluster } of this.#clusters) this.#draw(cluster.name, known);
    const untrusted: readonly Node[] = vscode.workspace.isTrusted
      ? []
      : [{ kind: 'hint', id: 'hint:untrusted', parent: undefined, hint: 'untrusted', cluster: '' }];
    return [...untrusted, ...errors, ...this.#clusters];
  }

  /** What menus and the badge say of all clusters. */
  #tell(known: Known): void {
    const { facts, keys } = this.#parts;
    keys.set('meshExpansion.playground', known.playground);
    keys.set('meshExpansion.noVms', known.inventory.vms.length === 0);
    keys.set(
      'meshExpansion.noServices',
      known.inventory.services.length === 0 &&
        facts.known().clusters.every((name) => (facts.cluster(name).value?.services.length ?? 0) === 0),
    );
    // Hidden only where it is known that no cluster has them: who has opened none yet may still ask for one.
    const clusters = known.inventory.clusters.map(({ name }) => facts.cluster(name));
    keys.set(
      'meshExpansion.groups',
      clusters.every(({ value }) => value !== undefined && value.workloadGroups === undefined) ? 'none' : 'some',
    );
    this.onAttention(attentionCount(known));
  }

  /** Opening a node is what asks for it to be read (design: Nothing runs until asked). */
  #start(node: Node, known: Known): void {
    const { facts } = this.#parts;
    if (node.kind === 'cluster' && isUnread(facts.cluster(node.cluster.name))) void facts.readCluster(node.cluster.name);
    if (node.kind === 'vm' && isUnread(facts.vm(node.vm.name))) void facts.readVm(node.vm.name);
    const vms = vmsBelow(node, known);
    if (vms.length <= ASK_ALL_UP_TO) for (const vm of vms) if (isUnread(facts.vm(vm.name))) void facts.readVm(vm.name);
  }
}

/** What the rows of a cluster are made from: other objects once something was read anew. */
function madeFrom(cluster: string, known: Known): readonly unknown[] {
  const vms = known.inventory.vms.filter((vm) => vm.cluster === cluster).map(({ name }) => name);
  return [known.cluster(cluster), ...vms.flatMap((name) => [known.vm(name), known.checks(name)])];
}

function isSame(one: ClusterNode, other: ClusterNode): boolean {
  return one.playground === other.playground && JSON.stringify(one.cluster) === JSON.stringify(other.cluster);
}

function isUnread(held: { readonly loading: boolean; readonly at?: number }): boolean {
  return !held.loading && held.at === undefined;
}
