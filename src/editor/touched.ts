import type { Watched } from '../mesh/mesh.ts';
import type { Inventory, VmEntry, WorkloadGroupFacts } from '../mesh/model.ts';
import type { Held } from './shelf.ts';

/** What files of VMs were made from and has changed: objects of the cluster or of a namespace. */
export type Input = NonNullable<Watched['inputOf']>;

type Groups = readonly WorkloadGroupFacts[] | undefined;

/** Names of a cluster's VMs that were asked before and are touched by a change; nobody was asked for the others, and one that waits for a person is left to them. */
export function askedBefore(
  { vms }: Pick<Inventory, 'vms'>,
  cluster: string,
  touches: (vm: VmEntry) => boolean,
  held: (vm: string) => Pick<Held<unknown>, 'at' | 'error'>,
): readonly string[] {
  return vms
    .filter((vm) => vm.cluster === cluster && touches(vm))
    .map(({ name }) => name)
    .filter((name) => held(name).at !== undefined && held(name).error?.kind !== 'person');
}

export function touchedBy(inputs: readonly Input[]): (vm: VmEntry) => boolean {
  return (vm) => inputs.some((input) => input === 'all' || input.namespace === vm.namespace);
}

/** What of the inventory a VM's files are made from, as text to compare. */
export function enteredAs({ clusters }: Pick<Inventory, 'clusters'>, vm: VmEntry): string {
  return JSON.stringify([vm, clusters.find(({ name }) => name === vm.cluster)]);
}

/** VMs of groups that are not as they were. */
export function touchedByGroups(before: Groups = [], after: Groups = []): (vm: VmEntry) => boolean {
  const name = ({ group }: WorkloadGroupFacts) => `${group.namespace}/${group.name}`;
  const known = new Map(before.map((one) => [name(one), JSON.stringify(one.group)]));
  const changed = after.filter((one) => known.get(name(one)) !== JSON.stringify(one.group)).map(name);
  const gone = [...known.keys()].filter((one) => !after.some((other) => name(other) === one));
  const touched = new Set([...changed, ...gone]);
  return (vm) => touched.has(`${vm.namespace}/${vm.workloadGroup ?? ''}`);
}
