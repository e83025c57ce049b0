import { stringify } from 'yaml';
import { assertAccess } from '../cluster/access.ts';
import { objectStep } from '../cluster/objectStep.ts';
import type { ClusterScope, VmScope, WorkloadGroups } from '../era.ts';
import { isMeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { WorkloadEntry, WorkloadGroup, WorkloadGroupFacts } from '../model.ts';
import type { Plan } from '../plan.ts';
import type { Access, CallOptions, KubeObject, ObjectRef } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { readGroup } from './generate.ts';
import { checkGroup } from './groupRules.ts';
import { liveGroup, NETWORKING, groupRef } from './groupObject.ts';
import { readable } from './meshData.ts';
import { networkingVersion } from './release.ts';
import { groupObject } from './writtenGroup.ts';
import { entryFacts, groupOf, isEntryOf, missingEntry, vmOf } from './workloadEntry.ts';

export const groups: WorkloadGroups = { read: readGroups, entryOf, plan: planGroup };

/** Every group with its entries, from the cluster alone. */
export async function readGroups(scope: ClusterScope, options: CallOptions = {}): Promise<readonly WorkloadGroupFacts[]> {
  const [found, entries] = await Promise.all([listed(scope, 'WorkloadGroup', options), listed(scope, 'WorkloadEntry', options)]);
  const now = scope.ports.clock.now();
  return found
    .map((object): WorkloadGroupFacts => {
      const live = liveGroup(object);
      const own = entries
        .map((entry) => ({ entry, vm: vmOf(entry, live, scope.inventory, scope.entry.name) }))
        .filter(
          ({ entry, vm }) => entry.metadata.namespace === live.group.namespace && (vm !== undefined || groupOf(entry) === live.group.name),
        );
      return { ref: live.ref, group: live.group, entries: own.map(({ entry, vm }) => entryFacts(entry, vm, now)) };
    })
    .sort((one, other) => refName(one.ref).localeCompare(refName(other.ref)));
}

/** How the cluster sees one VM. Throws what `readGroup` throws. */
export async function entryOf(scope: VmScope, options: CallOptions = {}): Promise<WorkloadEntry> {
  const live = await readGroup(scope, options);
  const { apiVersion } = live.ref;
  const entries = await scope.api.list({ apiVersion, kind: 'WorkloadEntry', namespace: live.group.namespace }, options);
  const own = entries.find((entry) => isEntryOf(entry, live, scope.vm, scope.address));
  if (own === undefined) return missingEntry(live, scope.vm, scope.vm.externalAddress ?? scope.address);
  return entryFacts(own, scope.vm.name, scope.ports.clock.now());
}

/** Objects of the whole cluster; of the namespaces of the inventory's VMs where the account may read no more. */
export async function listed(scope: ClusterScope, kind: string, options: CallOptions): Promise<readonly KubeObject[]> {
  const { api, entry, inventory, controlPlane } = scope;
  const apiVersion = kind === 'Service' ? 'v1' : networkingVersion(controlPlane.release);
  try {
    return await api.list({ apiVersion, kind }, options);
  } catch (error) {
    const namespaces = [...new Set(inventory.vms.filter(({ cluster }) => cluster === entry.name).map(({ namespace }) => namespace))];
    if (!isMeshError(error, 'kube.forbidden') || namespaces.length === 0) throw error;
    return (await Promise.all(namespaces.map((namespace) => api.list({ apiVersion, kind, namespace }, options)))).flat();
  }
}

/** Throws `group.invalid` with the field, `istiod.namespace`, `cluster.access-denied`: all before anything is changed. */
async function planGroup(scope: ClusterScope, group: WorkloadGroup, options: CallOptions = {}): Promise<Plan> {
  checkGroup(group);
  const account: ObjectRef = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: group.namespace, name: group.serviceAccount };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: group.namespace };
  await assertAccess(scope, questions(group), options);
  // An account of one namespace may not read namespaces: the write itself will tell.
  const found = await scope.api.get(namespace, options).catch((error: unknown) => {
    if (isMeshError(error, 'kube.forbidden')) return namespace;
    throw error;
  });
  if (found === undefined) throw problem('istiod.namespace', { namespace: group.namespace }, { kind: 'bad-input', field: 'namespace' });
  const hasAccount = (await readable(scope.api.get(account, options))) !== undefined;
  const ref = groupRef(networkingVersion(scope.controlPlane.release), group.namespace, group.name);
  const object = groupObject(ref, group);
  const newAccount: KubeObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: account.name, namespace: account.namespace },
  };
  return {
    id: 'workload-group',
    title: message('istiod.group.title', { name: refName(ref) }),
    context: scope.entry.context,
    hosts: [],
    steps: [...(hasAccount ? [] : [objectStep(scope, newAccount)]), objectStep(scope, object, [], stringify(object))],
  };
}

function questions({ namespace, serviceAccount }: WorkloadGroup): readonly Access[] {
  const of = (resource: string, group: string, verbs: readonly string[], name?: string): readonly Access[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace, ...(name === undefined ? {} : { name }) }));
  return [
    ...of('workloadgroups', NETWORKING, ['get', 'create', 'patch']),
    ...of('serviceaccounts', '', ['get', 'create', 'patch']),
    // Joins ask for the token of this very account.
    ...of('serviceaccounts/token', '', ['create'], serviceAccount),
  ];
}
