import type { Held, VmFacts } from '../editor/facts.ts';
import type { Judgement } from '../mesh/mesh.ts';
import type { Inventory, VmEntry, WorkloadEntry, WorkloadGroupFacts } from '../mesh/model.ts';
import { awayFrom, withEntry } from '../mesh/status.ts';
import type { VmState } from './nodes.ts';

/** What is known of a cluster's workload groups. */
export type Groups = readonly WorkloadGroupFacts[] | undefined;

/** Entries of these are heard of now; a claim can go stale without any event. */
const heardOf: readonly WorkloadEntry['membership'][] = ['connected', 'healthy', 'unhealthy'];

export function isConnected({ membership }: WorkloadEntry): boolean {
  return heardOf.includes(membership);
}

/** The entry as it counts at a time: a claim that nobody renewed is stale. */
export function aged(entry: WorkloadEntry, now: Date): WorkloadEntry {
  const stale = entry.staleAt !== undefined && isConnected(entry) && now.getTime() >= Date.parse(entry.staleAt);
  return stale ? { ...entry, membership: 'stale' } : entry;
}

export function groupOf(vm: VmEntry, groups: Groups): WorkloadGroupFacts | undefined {
  return groups?.find(({ group }) => group.name === vm.workloadGroup && group.namespace === vm.namespace);
}

/**
 * Whether an entry is of a VM: the cluster says so, or the machine was asked and has that address or that entry. A VM without an address in the inventory is
 * known by the cluster only then.
 */
export function isOf(entry: WorkloadEntry, vm: VmEntry, { value }: Held<VmFacts>): boolean {
  if (entry.vm !== undefined) return entry.vm === vm.name;
  if (value === undefined || entry.ref.namespace !== vm.namespace) return false;
  const addresses = value.state.facts?.addresses.map(({ address }) => address) ?? [];
  return value.entry?.ref.name === entry.ref.name || (entry.address !== undefined && addresses.includes(entry.address));
}

/** How the cluster sees a VM of the inventory; undefined where it lists none. A VM of a group without an entry has never connected, or was forgotten. */
export function entryOf(vm: VmEntry, groups: Groups, status: Held<VmFacts>, now: Date): WorkloadEntry | undefined {
  const group = groupOf(vm, groups);
  if (group === undefined) return undefined;
  const entry = group.entries.find((one) => isOf(one, vm, status));
  return entry === undefined ? { ref: group.ref, membership: 'never', automatic: false, vm: vm.name } : aged(entry, now);
}

/** What the machine said, joined to how the cluster sees it now. */
export function judgementOf({ value }: Held<VmFacts>, entry: WorkloadEntry | undefined, now: Date): Judgement | undefined {
  if (value === undefined) return entry === undefined ? undefined : awayFrom(entry, now);
  const { condition, summary } = value;
  const latest = entry ?? value.entry;
  return withEntry(value.own ?? { condition, summary }, latest, now);
}

/** A machine that cannot be asked for want of a person (host key, password) needs one; other errors are the machine's or of what its files are made from. */
export function stateOf(status: Held<VmFacts>, entry: WorkloadEntry | undefined, now: Date): VmState {
  const { error, value } = status;
  if (error !== undefined) return error.kind === 'person' ? 'needs-person' : error.code.startsWith('host.') ? 'unreachable' : 'blocked';
  if (value !== undefined) return judgementOf(status, entry, now)?.condition ?? value.condition;
  if (entry === undefined || entry.membership === 'never') return 'unknown';
  return isConnected(entry) && entry.membership !== 'unhealthy' ? 'connected' : 'failed';
}

/** Milliseconds since 1970 of the next claim that goes stale after `now`; undefined where none does. */
export function nextStale(groups: readonly Groups[], now: number): number | undefined {
  const times = groups
    .flatMap((one) => one ?? [])
    .flatMap(({ entries }) => entries)
    .filter((entry) => isConnected(entry) && entry.staleAt !== undefined)
    .map(({ staleAt = '' }) => Date.parse(staleAt))
    .filter((time) => time > now);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The nearest due date of a machine: end of its certificate, or of a token that it still needs. */
export function dueOf({ value }: Held<VmFacts>, entry: WorkloadEntry | undefined): number {
  const needsToken = entry !== undefined && !isConnected(entry);
  const times = [value?.certificateNotAfter, needsToken ? value?.tokenExpiresAt : undefined].map((time) => Date.parse(time ?? ''));
  return Math.min(...times.filter((time) => !Number.isNaN(time)), Infinity);
}

export function vmsOfCluster(inventory: Inventory, cluster: string): readonly VmEntry[] {
  return inventory.vms.filter((vm) => vm.cluster === cluster);
}
