import { listAt, stringsAt, textAt } from '../cluster/untrusted.ts';
import type { Inventory, Membership, VmEntry, WorkloadEntry } from '../model.ts';
import type { KubeObject } from '../ports.ts';
import { explicitEntryName } from './entryName.ts';
import type { LiveGroup } from './groupObject.ts';
import { automaticEntryName } from './naming.ts';

/** How the cluster sees a VM: annotations and conditions of its WorkloadEntry (istiod facts 3.3, 3.4). */

const AUTO_GROUP = 'istio.io/autoRegistrationGroup';
export const HEALTH_CHECKED = 'proxy.istio.io/health-checks-enabled';
/** Names the group of an entry that we made. */
export const OUR_GROUP = 'mesh-expansion/workload-group';
const CONNECTED_AT = 'istio.io/connectedAt';
const DISCONNECTED_AT = 'istio.io/disconnectedAt';
/** One and a half of istiod's longest connection: an older claim is of an istiod that is gone (istiod facts 3.4). */
const CLAIM_LASTS_MS = 45 * 60_000;

/** The group that an entry belongs to, as far as the entry says. */
export function groupOf(entry: KubeObject): string | undefined {
  const annotations = stringsAt(entry, 'metadata', 'annotations');
  return annotations[AUTO_GROUP] ?? annotations[OUR_GROUP];
}

/** An entry as a person is to see it; `vm`: of the inventory. */
export function entryFacts(entry: KubeObject, vm: string | undefined, now: Date): WorkloadEntry {
  const { apiVersion, kind, metadata } = entry;
  return {
    ref: { apiVersion, kind, namespace: metadata.namespace, name: metadata.name },
    address: textAt(entry, 'spec', 'address'),
    ...claim(entry, now),
    automatic: stringsAt(entry, 'metadata', 'annotations')[AUTO_GROUP] !== undefined,
    vm,
  };
}

/** An entry that is not there: never connected, or cleaned away. */
export function missingEntry(live: LiveGroup, vm: VmEntry, address: string | undefined): WorkloadEntry {
  const { group, ref } = live;
  const automatic = vm.autoRegister !== false;
  const name = automatic ? automaticEntryName(group.name, address ?? vm.name, group.network) : explicitEntryName(vm, group);
  return {
    ref: { apiVersion: ref.apiVersion, kind: 'WorkloadEntry', namespace: group.namespace, name },
    membership: 'never',
    automatic,
    vm: vm.name,
  };
}

type Claim = Pick<WorkloadEntry, 'membership' | 'since' | 'staleAt' | 'reason'>;

function claim(entry: KubeObject, now: Date): Claim {
  const annotations = stringsAt(entry, 'metadata', 'annotations');
  const connectedAt = time(annotations[CONNECTED_AT]);
  const disconnectedAt = time(annotations[DISCONNECTED_AT]);
  if (connectedAt !== undefined) {
    const staleAt = new Date(connectedAt.getTime() + CLAIM_LASTS_MS);
    const since = connectedAt.toISOString();
    if (staleAt.getTime() <= now.getTime()) return { membership: 'stale', since };
    return { since, ...health(entry, annotations), staleAt: staleAt.toISOString() };
  }
  if (disconnectedAt !== undefined) return { membership: 'disconnected', since: disconnectedAt.toISOString() };
  // Nobody keeps watch over an entry of our own without a probe: it is served as it stands.
  const isWatched = annotations[AUTO_GROUP] !== undefined || annotations[HEALTH_CHECKED] === 'true';
  return { membership: isWatched ? 'never' : 'connected' };
}

/** Without a condition an entry with a probe is not served: it counts as unhealthy (istiod facts 3.4). */
function health(entry: KubeObject, annotations: Readonly<Record<string, string>>): Claim {
  if (annotations[HEALTH_CHECKED] !== 'true') return { membership: 'connected' };
  const condition = listAt(entry, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Healthy');
  const membership: Membership = textAt(condition, 'status') === 'True' ? 'healthy' : 'unhealthy';
  const since = time(textAt(condition, 'lastTransitionTime'))?.toISOString();
  const reason = membership === 'unhealthy' ? (textAt(condition, 'message') ?? textAt(condition, 'reason')) : undefined;
  return { membership, ...(since === undefined ? {} : { since }), ...(reason === undefined ? {} : { reason }) };
}

function time(text: string | undefined): Date | undefined {
  const found = new Date(text ?? '');
  return Number.isNaN(found.getTime()) ? undefined : found;
}

/** Whether an entry is of a VM of this group; `address`: the VM's own, where it is known. */
export function isEntryOf(entry: KubeObject, { group }: LiveGroup, vm: VmEntry, address: string | undefined): boolean {
  if (entry.metadata.namespace !== group.namespace || (groupOf(entry) ?? group.name) !== group.name) return false;
  const { name } = entry.metadata;
  if (name === explicitEntryName(vm, group)) return true;
  const addresses = [vm.externalAddress, vm.address, address].filter((one) => one !== undefined);
  return addresses.some((one) => textAt(entry, 'spec', 'address') === one || name === automaticEntryName(group.name, one, group.network));
}

/** The VM of the inventory that an entry is of. */
export function vmOf(entry: KubeObject, live: LiveGroup, { vms }: Inventory, cluster: string): string | undefined {
  const { group } = live;
  return vms
    .filter((vm) => vm.cluster === cluster && vm.namespace === group.namespace && vm.workloadGroup === group.name)
    .find((vm) => isEntryOf(entry, live, vm, undefined))?.name;
}
