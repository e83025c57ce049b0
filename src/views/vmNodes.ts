import type { CheckRun, ClusterFacts, Held, VmFacts } from '../editor/facts.ts';
import type { MeshError } from '../mesh/errors.ts';
import type { Inventory, VmEntry } from '../mesh/model.ts';
import { dueOf, entryOf, groupOf, stateOf, vmsOfCluster } from './liveVms.ts';
import { byUrgency, needsAttention, type ErrorNode, type Node, type VmNode } from './nodes.ts';

/** What the nodes are built from. */
export interface Known {
  readonly inventory: Inventory;
  readonly playground: boolean;
  readonly cluster: (name: string) => Held<ClusterFacts>;
  readonly vm: (name: string) => Held<VmFacts>;
  readonly checks: (vm: string) => CheckRun | undefined;
  readonly now: () => Date;
}

export function errorNode(id: string, error: MeshError, retry: ErrorNode['retry'], parent?: Node): ErrorNode {
  return { kind: 'error', id: `error:${id}`, error, retry, parent };
}

/** Nodes of VMs: the most urgent first, then by what is due next, then by name. */
export function vmNodes(vms: readonly VmEntry[], known: Known, parent: Node): readonly VmNode[] {
  const now = known.now();
  const nodes = vms.map((vm) => {
    const groups = known.cluster(vm.cluster).value?.workloadGroups;
    const status = known.vm(vm.name);
    const entry = entryOf(vm, groups, status, now);
    const node: VmNode = {
      kind: 'vm',
      id: `vm:${vm.name}`,
      parent,
      cluster: vm.cluster,
      vm,
      status,
      state: stateOf(status, entry, now),
      grouped: groups !== undefined,
      ...(entry === undefined ? {} : { entry }),
    };
    return { node, due: dueOf(status, entry) };
  });
  // Infinity - Infinity is no number: what has no due date counts as equal.
  const sooner = (one: number, other: number) => (one === other ? 0 : one - other);
  return nodes
    .sort(
      (one, other) =>
        byUrgency(one.node.state, other.node.state) || sooner(one.due, other.due) || one.node.vm.name.localeCompare(other.node.vm.name),
    )
    .map(({ node }) => node);
}

/** VMs of a cluster that are below none of its workload groups. */
export function ungroupedVms(cluster: string, known: Known): readonly VmEntry[] {
  const groups = known.cluster(cluster).value?.workloadGroups;
  return vmsOfCluster(known.inventory, cluster).filter((vm) => groupOf(vm, groups) === undefined);
}

/** Number of machines of the inventory that need something, as far as is known; nothing is asked. */
export function attentionCount(known: Known): number {
  const now = known.now();
  return known.inventory.vms.filter((vm) => {
    const status = known.vm(vm.name);
    const entry = entryOf(vm, known.cluster(vm.cluster).value?.workloadGroups, status, now);
    return needsAttention(stateOf(status, entry, now));
  }).length;
}

/** What is on a VM: files, units, checks. */
export function vmChildren(node: VmNode, known: Known): readonly Node[] {
  const { error, value } = known.vm(node.vm.name);
  const failed: readonly Node[] = error === undefined ? [] : [errorNode(node.id, error, { kind: 'vm', vm: node.vm.name }, node)];
  if (value === undefined) return failed;
  const files = value.files.map(({ file, drift }): Node => {
    const remote = value.state.files.find(({ path }) => path === file.path);
    const generatedEnd = file.content.kind === 'secret' ? file.content.facts?.notAfter : undefined;
    // A key tells no end of its own: it lives as long as the certificate beside it.
    const ownEnd = remote?.certificate?.notAfter ?? '';
    const secretEnd = ownEnd !== '' ? ownEnd : remote?.exists === true ? value.certificateNotAfter : generatedEnd;
    const certificateEnd = file.content.kind === 'secret' && secretEnd !== '' ? secretEnd : undefined;
    const notAfter = file.content.kind === 'minted' ? remote?.token?.expiresAt : certificateEnd;
    return {
      kind: 'file',
      id: `file:${node.vm.name}:${file.path}`,
      parent: node,
      cluster: node.cluster,
      vm: node.vm.name,
      file,
      drift,
      edited: value.edited.includes(file.path),
      notAfter,
    };
  });
  const units = value.units
    .filter((unit) => unit.load !== 'not-found')
    .map((unit): Node => ({ kind: 'unit', id: `unit:${node.vm.name}:${unit.name}`, parent: node, vm: node.vm.name, unit }));
  const checks: Node = { kind: 'checks', id: `checks:${node.vm.name}`, parent: node, vm: node.vm.name, run: known.checks(node.vm.name) };
  return [...failed, ...files, ...units, ...(value.condition === 'not-joined' && known.checks(node.vm.name) === undefined ? [] : [checks])];
}

/** The VM that was asked for its addresses and has this one. */
export function vmWithAddress(address: string, cluster: string, known: Known): string | undefined {
  return known.inventory.vms.find(
    (vm) => vm.cluster === cluster && known.vm(vm.name).value?.state.facts?.addresses.some((own) => own.address === address) === true,
  )?.name;
}
