import type { ClusterScope, Era } from './era.ts';
import type { ChangedObject, ClusterOverview } from './mesh.ts';
import type { VmEntry } from './model.ts';
import { oneReading, withList } from './oneReading.ts';
import type { CallOptions, ClusterApi, ObjectQuery, ObjectRef } from './ports.ts';
import { refName } from './problem.ts';
import { unmanagedVms } from './unmanaged.ts';

interface How {
  readonly addressOf: (vm: VmEntry) => string | undefined;
  readonly options?: CallOptions;
}

/**
 * An overview as a whole reading would give it now, where nothing but these objects changed since `before`. What they touch is read again from the cluster, never
 * worked out from an event, and with no other right than a whole reading takes (`list`): of 5,000 Services the one that changed.
 */
export async function overviewAfter(
  era: Era,
  found: ClusterScope,
  before: ClusterOverview,
  changed: readonly ChangedObject[],
  { addressOf, options }: How,
): Promise<ClusterOverview> {
  const touched = whatIsTouched(era.serviceKinds, changed);
  const scope: ClusterScope = { ...found, api: oneReading(narrowed(found.api, era.serviceKinds, touched)) };
  // Events, which nobody watches, tell why a balancer has no address.
  const hasBalancers = before.loadBalancers.some(({ ref, state }) => state !== 'ready' || touched.service(ref));
  const [loadBalancers, services, groups] = await Promise.all([
    hasBalancers ? era.loadBalancers(found, options) : before.loadBalancers,
    touched.anyService ? era.services(scope, options) : [],
    touched.anyGroup ? era.groups?.read(scope, options) : [],
  ]);
  const all = joined(before.services, services, touched.service);
  const unmanaged = unmanagedVms(scope.entry.name, scope.inventory, all, addressOf);
  const after = { controlPlane: scope.controlPlane, loadBalancers, services: all, unmanaged };
  return before.workloadGroups === undefined
    ? after
    : { ...after, workloadGroups: joined(before.workloadGroups, groups ?? [], touched.group) };
}

interface Touched {
  /** Services by name, where nothing else of their namespace is touched. */
  readonly names: readonly { readonly namespace: string; readonly name: string }[];
  /** Namespaces of which every service is touched. */
  readonly whole: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  readonly anyService: boolean;
  readonly anyGroup: boolean;
  readonly service: (ref: ObjectRef) => boolean;
  readonly group: (ref: ObjectRef) => boolean;
}

function whatIsTouched(serviceKinds: readonly string[], changed: readonly ChangedObject[]): Touched {
  const ofServices = changed.filter(({ kind }) => serviceKinds.includes(kind));
  const others = changed.filter(({ kind }) => !serviceKinds.includes(kind));
  const whole = new Set(others.filter(({ stateOnly }) => stateOnly !== true).map(({ namespace }) => namespace));
  const byName = new Map(
    ofServices
      .filter(({ namespace }) => !whole.has(namespace))
      .map(({ namespace, name }) => [refName({ namespace, name }), { namespace, name }]),
  );
  const grouped = new Set(others.map(({ namespace }) => namespace));
  return {
    names: [...byName.values()],
    whole,
    namespaces: new Set(changed.map(({ namespace }) => namespace)),
    anyService: whole.size + byName.size > 0,
    anyGroup: grouped.size > 0,
    service: (ref) => whole.has(ref.namespace ?? '') || byName.has(refName(ref)),
    group: ({ namespace = '' }) => grouped.has(namespace),
  };
}

/** The cluster as if it had nothing but what is touched, for lists of all namespaces. */
function narrowed(api: ClusterApi, serviceKinds: readonly string[], { names, whole, namespaces }: Touched): ClusterApi {
  const queries = (query: ObjectQuery): readonly ObjectQuery[] => {
    if (query.namespace !== undefined) return [query];
    const inEach = (all: ReadonlySet<string>) => [...all].map((namespace) => ({ ...query, namespace }));
    if (!serviceKinds.includes(query.kind)) return inEach(namespaces);
    const named = names.map(({ namespace, name }) => ({
      ...query,
      namespace,
      fieldSelector: [...(query.fieldSelector === undefined ? [] : [query.fieldSelector]), `metadata.name=${name}`].join(),
    }));
    return [...inEach(whole), ...named];
  };
  return withList(api, async (query, options) => (await Promise.all(queries(query).map((one) => api.list(one, options)))).flat());
}

/** What was and is not touched, and what is now; in the order of a whole reading. */
function joined<T extends { readonly ref: ObjectRef }>(
  before: readonly T[],
  now: readonly T[],
  isTouched: (ref: ObjectRef) => boolean,
): readonly T[] {
  return [...before.filter(({ ref }) => !isTouched(ref)), ...now.filter(({ ref }) => isTouched(ref))].sort((one, other) =>
    refName(one.ref).localeCompare(refName(other.ref)),
  );
}
