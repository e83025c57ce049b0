import type { ClusterScope } from '../era.ts';
import { isMeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { Step } from '../plan.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import {
  addressesOf,
  isRegistered,
  rawSubsets,
  subsetsOf,
  withAddress,
  withoutAddress,
  type EndpointPort,
  type Subset,
} from './endpoints.ts';
import { refName } from '../problem.ts';

/** Steps that put addresses into a service's Endpoints and take them out (citadel facts 5, 10). */

/** How often a write is tried again when another one came in between. */
const CONFLICT_RETRIES = 5;

/** The Endpoints of a registered service as they are wanted. */
export interface WantedEndpoints {
  readonly ref: ObjectRef;
  readonly metadata: KubeObject['metadata'];
  readonly ports: readonly EndpointPort[];
  readonly addresses: readonly string[];
}

export function endpointsStep(
  { api, entry }: ClusterScope,
  { ref, metadata: wantedMetadata, ports, addresses: wanted }: WantedEndpoints,
): Step {
  let created: string | undefined;
  let before: readonly Subset[] = [];
  const lacking = (subsets: readonly Subset[]): readonly string[] => wanted.filter((address) => !isRegistered(subsets, address, ports));
  return {
    id: `endpoints-${refName(ref)}`,
    title: message('citadel.register.endpoints', { name: refName(ref), addresses: wanted.join(', ') }),
    target: entry.context,
    async preview(options) {
      const present = await api.get(ref, options);
      const missing = lacking(subsetsOf(present));
      const verb = present === undefined ? 'create' : missing.length > 0 ? 'change' : 'keep';
      return {
        needed: missing.length > 0,
        details: [
          { kind: 'object', verb, ref },
          ...missing.map(
            (address) =>
              ({
                kind: 'note',
                text: message('citadel.register.adds', { address, ports: ports.map(({ port }) => port).join(', ') }),
              }) as const,
          ),
        ],
      };
    },
    async run(options) {
      await retried(api, ref, options, async (present) => {
        before = subsetsOf(present);
        const subsets = rawSubsets(lacking(before).reduce((current, address) => withAddress(current, address, ports), before));
        if (present === undefined) {
          const made = await api.create({ apiVersion: 'v1', kind: 'Endpoints', metadata: wantedMetadata, subsets }, options);
          created = made.object.metadata.uid;
        } else {
          created = undefined;
          const metadata = {
            ...present.metadata,
            annotations: { ...present.metadata.annotations, ...wantedMetadata.annotations },
            labels: { ...present.metadata.labels, ...wantedMetadata.labels },
          };
          await api.replace({ ...present, metadata, subsets }, options);
        }
      });
    },
    async undo(options) {
      const added = lacking(before);
      await retried(api, ref, options, async (present) => {
        if (present === undefined) return;
        const left = added.reduce(
          (current, address) => putBackAddress(withoutAddress(current, address), before, address),
          subsetsOf(present),
        );
        if (created !== undefined && left.length === 0) await api.delete(ref, { ...options, uid: created });
        else await api.replace({ ...present, subsets: rawSubsets(left) }, options);
      });
    },
  };
}

export function deregisterStep({ api, entry }: ClusterScope, ref: ObjectRef, wanted: readonly string[]): Step {
  let before: readonly Subset[] = [];
  let removed: readonly string[] = [];
  return {
    id: `deregister-${refName(ref)}`,
    title: message('citadel.deregister.endpoints', { name: refName(ref), addresses: wanted.join(', ') }),
    target: entry.context,
    async preview(options) {
      const present = addressesOf(await api.get(ref, options));
      const there = wanted.filter((address) => present.includes(address));
      return {
        needed: there.length > 0,
        details: [
          { kind: 'object', verb: there.length > 0 ? 'change' : 'keep', ref },
          ...wanted.map(
            (address) =>
              ({
                kind: 'note',
                text: message(there.includes(address) ? 'citadel.deregister.removes' : 'citadel.deregister.not-there', { address }),
              }) as const,
          ),
        ],
      };
    },
    async run(options) {
      await retried(api, ref, options, async (present) => {
        if (present === undefined) return;
        before = subsetsOf(present);
        removed = wanted.filter((address) => addressesOf(present).includes(address));
        if (removed.length === 0) return;
        await api.replace({ ...present, subsets: rawSubsets(removed.reduce(withoutAddress, before)) }, options);
      });
    },
    async undo(options) {
      await retried(api, ref, options, async (present) => {
        if (present === undefined) return;
        const subsets = removed.reduce((current, address) => putBackAddress(current, before, address), subsetsOf(present));
        await api.replace({ ...present, subsets: rawSubsets(subsets) }, options);
      });
    },
  };
}

/** The address in the subsets where it stood before. */
function putBackAddress(current: readonly Subset[], before: readonly Subset[], address: string): readonly Subset[] {
  return before
    .filter((subset) => subset.addresses.includes(address))
    .reduce((all, subset) => withAddress(all, address, subset.ports), current);
}

/** Reads, then writes under optimistic lock; reads again when another write came in between. */
async function retried(
  api: ClusterApi,
  ref: ObjectRef,
  options: CallOptions | undefined,
  write: (present: KubeObject | undefined) => Promise<void>,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await write(await api.get(ref, options));
      return;
    } catch (error) {
      if (!isMeshError(error, 'kube.conflict') || attempt >= CONFLICT_RETRIES) throw error;
    }
  }
}
