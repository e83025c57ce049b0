import type { VmEntry, WorkloadGroupFacts } from '../mesh/model.ts';
import { aged, groupOf, isConnected, isOf, vmsOfCluster } from './liveVms.ts';
import { needsAttention, type Node, type UnmanagedNode, type WorkloadGroupNode } from './nodes.ts';
import { ungroupedVms, vmNodes, type Known } from './vmNodes.ts';

/** A cluster's workload groups in order of name. */
export function workloadGroupNodes(cluster: string, known: Known, parent: Node): readonly WorkloadGroupNode[] {
  const groups = known.cluster(cluster).value?.workloadGroups ?? [];
  return [...groups]
    .sort((one, other) => groupName(one).localeCompare(groupName(other)))
    .map((facts) => {
      const id = `workloadGroup:${cluster}:${groupName(facts)}`;
      const node: WorkloadGroupNode = { kind: 'workloadGroup', id, parent, cluster, facts, count: 0, connected: 0, attention: 0 };
      const below = workloadGroupChildren(node, known);
      const seen = below.filter((one) => {
        const entry = one.kind === 'vm' ? one.entry : one.kind === 'unmanaged' ? one.from?.entry : undefined;
        return entry !== undefined && isConnected(entry);
      });
      return {
        ...node,
        count: below.length,
        connected: seen.length,
        attention: below.filter((one) => one.kind === 'vm' && needsAttention(one.state)).length,
      };
    });
}

/** Machines of a group: those of the inventory, then those that only the cluster knows. */
export function workloadGroupChildren(node: WorkloadGroupNode, known: Known): readonly Node[] {
  const now = known.now();
  const groups = known.cluster(node.cluster).value?.workloadGroups;
  const { group } = node.facts;
  const own = (groups ?? []).find((one) => groupName(one) === groupName(node.facts));
  const vms = vmsBelow(node, known);
  const unknown = (own?.entries ?? []).filter((entry) => !vms.some((vm) => isOf(entry, vm, known.vm(vm.name))));
  // A VM that was not asked for its address yet may be any of them: no managed VM is called unmanaged.
  const unasked = vms.filter(
    (vm) => known.vm(vm.name).value === undefined && own?.entries.some((entry) => entry.vm === vm.name) !== true,
  ).length;
  const unmanaged = (unknown.length <= unasked ? [] : unknown).map((entry): UnmanagedNode => ({
    kind: 'unmanaged',
    id: `unmanaged:${node.cluster}:${entry.ref.namespace ?? ''}/${entry.ref.name}`,
    parent: node,
    cluster: node.cluster,
    machine: { address: entry.address ?? entry.ref.name, services: [] },
    from: { group, entry: aged(entry, now) },
  }));
  return [...vmNodes(vms, known, node), ...unmanaged];
}

/** VMs of the inventory that a node of machines lists. */
export function vmsBelow(node: Node, known: Known): readonly VmEntry[] {
  if (node.kind === 'group' && node.group === 'vms') return ungroupedVms(node.cluster, known);
  if (node.kind !== 'workloadGroup') return [];
  const groups = known.cluster(node.cluster).value?.workloadGroups;
  return vmsOfCluster(known.inventory, node.cluster).filter((vm) => {
    const its = groupOf(vm, groups);
    return its !== undefined && groupName(its) === groupName(node.facts);
  });
}

export function groupName({ group }: WorkloadGroupFacts): string {
  return `${group.namespace}/${group.name}`;
}
