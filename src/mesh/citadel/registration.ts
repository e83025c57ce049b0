import ipaddr from 'ipaddr.js';
import type { ClusterScope } from '../era.ts';
import { message } from '../messages.ts';
import type { ServiceEntry } from '../model.ts';
import { isMachineAddress } from '../names.ts';
import type { Plan } from '../plan.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import { deregisterStep, endpointsStep, type WantedEndpoints } from './endpointsSteps.ts';
import { isMissing } from '../cluster/missing.ts';
import { objectStep } from '../cluster/objectStep.ts';
import { problem, refName } from '../problem.ts';
import { stringsAt } from '../cluster/untrusted.ts';

/** Registering the services of VMs as `istioctl register` does, without its defects (citadel facts 5, 10). */

export const ACCOUNTS_ANNOTATION = 'alpha.istio.io/kubernetes-serviceaccounts';

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
    steps: [objectStep(scope, serviceObject(service)), endpointsStep(scope, wantedEndpoints(service, wanted))],
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
    steps: [deregisterStep(scope, endpointsRef(service), wanted)],
  };
}

function wantedAddresses(service: ServiceEntry, addresses: ReadonlyMap<string, string>): readonly string[] {
  // Adopted machines come with an address of their own and are no VM of the inventory's list: the caller's map decides.
  if (addresses.size === 0)
    throw problem('citadel.register.no-vms', { name: `${service.namespace}/${service.name}` }, { kind: 'bad-input', field: 'services' });
  const valid = [...addresses].map(([vm, address]) => {
    if (address === '') throw problem('citadel.register.no-address', { vm }, { kind: 'bad-input', field: 'address' });
    if (!isMachineAddress(address) || !ipaddr.IPv4.isValidFourPartDecimal(address))
      throw problem('citadel.register.address', { vm, address }, { kind: 'bad-input', field: 'address' });
    return address;
  });
  return [...new Set(valid)];
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
  // An account of one namespace may not read namespaces: the write itself will tell.
  if (await isMissing(api, { apiVersion: 'v1', kind: 'Namespace', name }, options))
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

function endpointsRef(service: ServiceEntry): ObjectRef {
  return { ...serviceRef(service), kind: 'Endpoints' };
}

/** Endpoints carry the port on the machine under the Service's port name. */
function wantedEndpoints(service: ServiceEntry, addresses: readonly string[]): WantedEndpoints {
  const ports = service.ports.map(({ name, targetPort, protocol }) => ({ name, port: targetPort, protocol }));
  return { ref: endpointsRef(service), metadata: metadataOf(service), ports, addresses };
}
