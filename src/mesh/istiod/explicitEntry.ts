import { objectStep, refOf } from '../cluster/objectStep.ts';
import type { VmScope } from '../era.ts';
import { isMeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { WorkloadGroup } from '../model.ts';
import type { Step } from '../plan.ts';
import type { KubeObject } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { explicitEntryName } from './entryName.ts';
import { isBefore, networkingVersion } from './release.ts';
import { HEALTH_CHECKED, OUR_GROUP } from './workloadEntry.ts';

/** The WorkloadEntry of a VM that does not register itself (istiod facts 3.3, 3.5). */

/** Throws `istiod.entry-address` (bad-input) where nobody said by which address the VM is reached. */
export function explicitEntry(scope: VmScope, group: WorkloadGroup): KubeObject {
  const { vm, controlPlane } = scope;
  const address = vm.externalAddress ?? scope.address;
  if (address === undefined) throw problem('istiod.entry-address', { vm: vm.name }, { kind: 'bad-input', field: 'address' });
  const { labels, ports, network, locality, weight, serviceAccount } = group;
  return {
    apiVersion: networkingVersion(controlPlane.release),
    kind: 'WorkloadEntry',
    metadata: {
      name: explicitEntryName(vm, group),
      namespace: vm.namespace,
      labels,
      annotations: { [OUR_GROUP]: group.name, ...(isProbed(scope, group) ? { [HEALTH_CHECKED]: 'true' } : {}) },
    },
    spec: {
      address,
      labels,
      serviceAccount,
      ...(Object.keys(ports).length === 0 ? {} : { ports }),
      ...(network === undefined ? {} : { network }),
      ...(locality === undefined ? {} : { locality }),
      ...(weight === undefined ? {} : { weight }),
    },
  };
}

/** Whether istiod writes the health of such an entry; one before 1.18 does not, and would serve an entry that is marked for it to nobody (istiod facts 3.3, 3.4). */
export function isProbed({ controlPlane }: Pick<VmScope, 'controlPlane'>, { probe }: WorkloadGroup): boolean {
  return probe !== undefined && !isBefore(controlPlane.release, 18);
}

export function explicitEntryStep(scope: VmScope, group: WorkloadGroup): Step {
  return objectStep(scope, explicitEntry(scope, group));
}

/** Deletes it again; a cluster that does not answer keeps nobody from leaving, but is told at the end. */
export function deleteEntryStep(scope: VmScope): Step {
  const { vm, api, entry, controlPlane } = scope;
  const ref = refOf({
    apiVersion: networkingVersion(controlPlane.release),
    kind: 'WorkloadEntry',
    metadata: { name: explicitEntryName(vm, { name: vm.workloadGroup ?? '' }), namespace: vm.namespace },
  });
  return {
    id: `delete-workloadentry-${refName(ref)}`,
    title: message('istiod.entry.delete', { name: refName(ref) }),
    target: entry.context,
    async preview(options) {
      try {
        const present = await api.get(ref, options);
        return { needed: present !== undefined, details: present === undefined ? [] : [{ kind: 'object', verb: 'delete', ref }] };
      } catch (error) {
        if (!isMeshError(error, 'kube.unreachable')) throw error;
        return { needed: true, details: [{ kind: 'object', verb: 'delete', ref }] };
      }
    },
    async run(options) {
      const present = await api.get(ref, options);
      if (present !== undefined) await api.delete(ref, { ...options, uid: present.metadata.uid });
    },
  };
}
