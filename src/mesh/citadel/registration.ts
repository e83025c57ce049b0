import type { ClusterScope } from '../era.ts';
import { isMeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { RegisteredService, ServiceEntry, ServicePortEntry } from '../model.ts';
import { isMachineAddress } from '../names.ts';
import type { Plan, Step } from '../plan.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import ipaddr from 'ipaddr.js';
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
import { clusterIpOf } from './loadBalancers.ts';
import { objectStep } from './objectStep.ts';
import { problem, refName } from './problems.ts';
import { at, listAt, numberAt, stringsAt, textAt } from './untrusted.ts';

/** Registering the services of VMs as `istioctl register` does, without its defects (citadel facts 5, 10). */

export const ACCOUNTS_ANNOTATION = 'alpha.istio.io/kubernetes-serviceaccounts';

/** How often a write is tried again when another one came in between. */
const CONFLICT_RETRIES = 5;

/** Name of a port that was given none (facts 5, 10): the number itself where there is no usual one. */
export function defaultPortName(port: number): string {
  const usual: Readonly<Record<number, string>> = { 80: 'http', 443: 'https', 3306: 'mysql', 8080: 'http' };
  return usual[port] ?? String(port);
}

/** Ports as `istioctl register` takes them, `[NAME:]PORT`. Throws `citadel.port-argument` (bad-input). */
export function parsePortArgument(argument: string): ServicePortEntry {
  const colon = argument.indexOf(':');
  const digits = argument.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65535 || colon === 0)
    throw problem('citadel.port-argument', { value: argument }, { kind: 'bad-input', field: 'ports' });
  return { name: colon < 0 ? defaultPortName(port) : argument.slice(0, colon), port, targetPort: port, protocol: 'TCP' };
}

/**
 * The plan of Register Service: the Service (no selector), then its Endpoints with each VM's address once. Throws before anything is changed:
 * `citadel.register.no-vms`, `citadel.register.no-address`, `citadel.register.ports-twice`, `citadel.register.address`, `citadel.namespace-missing`, `citadel.register.selector`.
 */
export async function planRegister(
  scope: ClusterScope,
  service: ServiceEntry,
  addresses: ReadonlyMap<string, string>,
  options: CallOptions = {},
): Promise<Plan> {
  const ref = serviceRef(service);
  const wanted = wantedAddresses(service, addresses);
  checkPorts(service);
  await checkNamespace(scope.api, service.namespace, options);
  const present = await scope.api.get(ref, options);
  if (Object.keys(stringsAt(present, 'spec', 'selector')).length > 0)
    throw problem(
      'citadel.register.selector',
      { name: refName(ref), context: scope.entry.context, service: service.name, namespace: service.namespace },
      { field: 'services' },
    );
  return {
    id: 'register',
    title: message('citadel.register.title', { name: refName(ref), addresses: wanted.join(', ') }),
    context: scope.entry.context,
    hosts: [],
    steps: [objectStep(scope, serviceObject(service)), endpointsStep(scope, service, wanted)],
  };
}

/** The plan of Deregister Service: the addresses leave the Endpoints; Service and Endpoints stay, as istioctl leaves them (facts 10). */
export async function planDeregister(scope: ClusterScope, service: ServiceEntry, addresses: ReadonlyMap<string, string>): Promise<Plan> {
  const wanted = wantedAddresses(service, addresses);
  const ref = serviceRef(service);
  return {
    id: 'deregister',
    title: message('citadel.deregister.title', { name: refName(ref), addresses: wanted.join(', ') }),
    context: scope.entry.context,
    hosts: [],
    steps: [deregisterStep(scope, service, wanted)],
  };
}

function wantedAddresses(service: ServiceEntry, addresses: ReadonlyMap<string, string>): readonly string[] {
  // Adopted machines come with an address of their own and are no VM of the inventory's list: the caller's map decides.
  if (addresses.size === 0)
    throw problem('citadel.register.no-vms', { name: `${service.namespace}/${service.name}` }, { kind: 'bad-input', field: 'services' });
  return [...new Set(addresses)].map(([vm, address]) => {
    if (address === '') throw problem('citadel.register.no-address', { vm }, { kind: 'bad-input', field: 'address' });
    if (!isMachineAddress(address) || !ipaddr.IPv4.isValidFourPartDecimal(address))
      throw problem('citadel.register.address', { vm, address }, { kind: 'bad-input', field: 'address' });
    return address;
  });
}

function checkPorts(service: ServiceEntry): void {
  const names = new Map<string, number>();
  for (const { name, port } of service.ports) {
    const other = names.get(name);
    if (other !== undefined)
      throw problem('citadel.register.ports-twice', { name, one: other, other: port }, { kind: 'bad-input', field: 'ports' });
    names.set(name, port);
  }
}

async function checkNamespace(api: ClusterApi, name: string, options: CallOptions): Promise<void> {
  try {
    if ((await api.get({ apiVersion: 'v1', kind: 'Namespace', name }, options)) !== undefined) return;
  } catch (error) {
    // An account of one namespace may not read namespaces: the write itself will tell.
    if (isMeshError(error, 'kube.forbidden')) return;
    throw error;
  }
  throw problem('citadel.namespace-missing', { namespace: name }, { field: 'namespace' });
}

function serviceRef({ namespace, name }: ServiceEntry): ObjectRef {
  return { apiVersion: 'v1', kind: 'Service', namespace, name };
}

function metadataOf(service: ServiceEntry): KubeObject['metadata'] {
  return {
    name: service.name,
    namespace: service.namespace,
    annotations: { ...service.annotations, [ACCOUNTS_ANNOTATION]: service.serviceAccount },
    ...(Object.keys(service.labels).length > 0 ? { labels: service.labels } : {}),
  };
}

export function serviceObject(service: ServiceEntry): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(service),
    spec: { ports: service.ports.map(({ name, port, targetPort, protocol }) => ({ name, port, targetPort, protocol })) },
  };
}

/** Endpoints carry the port on the machine under the Service's port name. */
function endpointPorts(service: ServiceEntry): readonly EndpointPort[] {
  return service.ports.map(({ name, targetPort, protocol }) => ({ name, port: targetPort, protocol }));
}

function endpointsStep({ api, entry }: ClusterScope, service: ServiceEntry, wanted: readonly string[]): Step {
  const ref: ObjectRef = { ...serviceRef(service), kind: 'Endpoints' };
  const ports = endpointPorts(service);
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
          const made = await api.create({ apiVersion: 'v1', kind: 'Endpoints', metadata: metadataOf(service), subsets }, options);
          created = made.object.metadata.uid;
        } else {
          created = undefined;
          const { annotations, labels } = metadataOf(service);
          const metadata = {
            ...present.metadata,
            annotations: { ...present.metadata.annotations, ...annotations },
            labels: { ...present.metadata.labels, ...labels },
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

function deregisterStep({ api, entry }: ClusterScope, service: ServiceEntry, wanted: readonly string[]): Step {
  const ref: ObjectRef = { ...serviceRef(service), kind: 'Endpoints' };
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

/** Registered services of the cluster: those that registration marked, and those of the inventory. One list call per kind. */
export async function readServices(scope: ClusterScope, options: CallOptions = {}): Promise<readonly RegisteredService[]> {
  const [services, endpoints] = await Promise.all([
    scope.api.list({ apiVersion: 'v1', kind: 'Service' }, options),
    scope.api.list({ apiVersion: 'v1', kind: 'Endpoints' }, options),
  ]);
  const key = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  const byName = new Map(endpoints.map((object) => [key(object), object]));
  const listed = new Set(
    scope.inventory.services.filter(({ cluster }) => cluster === scope.entry.name).map(({ namespace, name }) => `${namespace}/${name}`),
  );
  return services
    .filter((service) => isRegisteredService(service, listed.has(key(service))))
    .map((service) => describeService(scope, service, byName.get(key(service))))
    .sort((one, other) => refName(one.ref).localeCompare(refName(other.ref)));
}

function isRegisteredService(service: KubeObject, listed: boolean): boolean {
  if (Object.keys(stringsAt(service, 'spec', 'selector')).length > 0 || at(service, 'spec', 'type') === 'ExternalName') return false;
  return listed || service.metadata.annotations?.[ACCOUNTS_ANNOTATION] !== undefined;
}

function describeService(scope: ClusterScope, service: KubeObject, endpoints: KubeObject | undefined): RegisteredService {
  const vms = new Map(
    scope.inventory.vms
      .filter(({ cluster }) => cluster === scope.entry.name)
      .flatMap(({ name, address }) => (address === undefined ? [] : [[address, name] as const])),
  );
  return {
    ref: { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, name: service.metadata.name },
    clusterIp: clusterIpOf(service),
    ports: listAt(service, 'spec', 'ports').map((port) => {
      const number = numberAt(port, 'port') ?? 0;
      return {
        name: textAt(port, 'name') ?? '',
        port: number,
        targetPort: numberAt(port, 'targetPort') ?? number,
        protocol: textAt(port, 'protocol') === 'UDP' ? 'UDP' : 'TCP',
      };
    }),
    endpoints: subsetsOf(endpoints).flatMap((subset) =>
      subset.addresses.map((address) => ({ address, ports: subset.ports.map(({ port }) => port), vm: vms.get(address) })),
    ),
  };
}
