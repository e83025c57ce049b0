import { assertAccess } from '../cluster/access.ts';
import { objectStep } from '../cluster/objectStep.ts';
import { stringsAt } from '../cluster/untrusted.ts';
import type { ClusterScope } from '../era.ts';
import { message } from '../messages.ts';
import type { ServiceEntry, VmEntry } from '../model.ts';
import type { Plan, Step } from '../plan.ts';
import type { CallOptions, KubeObject, ObjectRef } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { deleteStep } from './deleteStep.ts';
import { groupRef, liveGroup, NETWORKING, type LiveGroup } from './groupObject.ts';
import { networkingVersion } from './release.ts';
import { entryLabels, selects, sharedSelector, type Labels } from './selectors.ts';
import { entryFacts, isEntryOf } from './workloadEntry.ts';

/** Registering a service in this era: an object whose selector takes the entries of its VMs (istiod facts 3.5). */

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const US = 'mesh-expansion';

interface Member {
  readonly vm: VmEntry;
  readonly address: string | undefined;
  readonly live: LiveGroup;
}

/**
 * The plan of Register Service. Throws before anything is changed: `istiod.register.no-vms`, `istiod.register.namespace`, `istiod.register.labels`,
 * `istiod.register.selector`, `istiod.no-group`, `istiod.group-missing`, `cluster.access-denied`.
 */
export async function planRegister(
  scope: ClusterScope,
  service: ServiceEntry,
  addresses: ReadonlyMap<string, string>,
  options: CallOptions = {},
): Promise<Plan> {
  const ref = serviceRef(scope, service);
  const all = await members(scope, service, addresses, options);
  const selector = sharedSelector(all.map(({ live }) => live.group.labels));
  if (Object.keys(selector).length === 0)
    throw problem('istiod.register.labels', { name: refName(ref), vms: service.vms.join(', ') }, { kind: 'bad-input', field: 'services' });
  await assertAccess(scope, questions(ref), options);
  const present = await scope.api.get(ref, options);
  const other =
    present?.kind === 'Service' ? stringsAt(present, 'spec', 'selector') : stringsAt(present, 'spec', 'workloadSelector', 'labels');
  const unselected = all.filter(({ live }) => !selects(other, live.group.labels));
  // A selector that takes them already is left as somebody wrote it.
  if (Object.keys(other).length > 0 && unselected.length > 0)
    throw problem('istiod.register.selector', {
      name: refName(ref),
      selector: labelText(other),
      vms: unselected.map(({ vm }) => vm.name).join(', '),
    });
  const chosen = Object.keys(other).length > 0 ? other : selector;
  return {
    id: 'register',
    title: message('istiod.register.title', { name: refName(ref), selector: labelText(chosen) }),
    context: scope.entry.context,
    hosts: [],
    steps: [objectStep(scope, serviceObject(ref, service, chosen)), selectionStep(scope, ref, all, chosen)],
  };
}

/** The plan of Deregister Service: what we made goes; entries and groups stay. Throws `istiod.deregister.part`, `istiod.deregister.others`. */
export async function planDeregister(
  scope: ClusterScope,
  service: ServiceEntry,
  addresses: ReadonlyMap<string, string>,
  options: CallOptions = {},
): Promise<Plan> {
  const ref = serviceRef(scope, service);
  const kept = service.vms.filter((vm) => !addresses.has(vm));
  if (addresses.size > 0 && kept.length > 0)
    throw problem('istiod.deregister.part', { name: refName(ref), vms: kept.join(', ') }, { kind: 'bad-input', field: 'vms' });
  const present = await scope.api.get(ref, options);
  if (present !== undefined && stringsAt(present, 'metadata', 'labels')[MANAGED_BY] !== US)
    throw problem('istiod.deregister.others', { kind: ref.kind, name: refName(ref) });
  return {
    id: 'deregister',
    title: message('istiod.deregister.title', { name: refName(ref) }),
    context: scope.entry.context,
    hosts: [],
    steps: [deleteStep(scope, ref)],
  };
}

/** The VMs of the service, each with its group. A selector reaches its own namespace only. */
async function members(
  scope: ClusterScope,
  service: ServiceEntry,
  addresses: ReadonlyMap<string, string>,
  options: CallOptions,
): Promise<readonly Member[]> {
  if (service.vms.length === 0)
    throw problem('istiod.register.no-vms', { name: `${service.namespace}/${service.name}` }, { kind: 'bad-input', field: 'services' });
  return Promise.all(
    service.vms.map(async (name) => {
      const vm = scope.inventory.vms.find((one) => one.name === name);
      if (vm?.workloadGroup === undefined) throw problem('istiod.no-group', { vm: name }, { kind: 'bad-input', field: 'workloadGroup' });
      if (vm.namespace !== service.namespace)
        throw problem(
          'istiod.register.namespace',
          { vm: name, namespace: vm.namespace, service: `${service.namespace}/${service.name}` },
          { kind: 'bad-input', field: 'namespace' },
        );
      const ref = groupRef(networkingVersion(scope.controlPlane.release), vm.namespace, vm.workloadGroup);
      const found = await scope.api.get(ref, options);
      if (found === undefined) throw problem('istiod.group-missing', { name: refName(ref), vm: name }, { field: 'workloadGroup' });
      return { vm, address: addresses.get(name), live: liveGroup(found) };
    }),
  );
}

/** A service with names of its own is one of Istio's; else it is one of Kubernetes', whose name its domain has. */
function serviceRef({ controlPlane }: ClusterScope, { namespace, name, hosts }: ServiceEntry): ObjectRef {
  const isExternal = hosts !== undefined && hosts.length > 0;
  return isExternal
    ? { apiVersion: networkingVersion(controlPlane.release), kind: 'ServiceEntry', namespace, name }
    : { apiVersion: 'v1', kind: 'Service', namespace, name };
}

function questions({ kind, namespace }: ObjectRef): Parameters<typeof assertAccess>[1] {
  const [group, resource] = kind === 'Service' ? ['', 'services'] : [NETWORKING, 'serviceentries'];
  return [
    ...['get', 'create', 'patch'].map((verb) => ({ verb, group, resource, namespace })),
    { verb: 'list', group: NETWORKING, resource: 'workloadentries', namespace },
  ];
}

function serviceObject(ref: ObjectRef, service: ServiceEntry, selector: Labels): KubeObject {
  const metadata = {
    name: service.name,
    namespace: service.namespace,
    labels: { ...service.labels, [MANAGED_BY]: US },
    ...(Object.keys(service.annotations).length === 0 ? {} : { annotations: service.annotations }),
  };
  const { ports, hosts = [] } = service;
  if (ref.kind === 'Service')
    return {
      apiVersion: ref.apiVersion,
      kind: ref.kind,
      metadata,
      spec: { selector, ports: ports.map(({ name, port, targetPort, protocol }) => ({ name, port, targetPort, protocol })) },
    };
  return {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata,
    spec: {
      hosts,
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: ports.map(({ name, port, targetPort }) => ({
        name,
        number: port,
        protocol: protocolOf(name),
        ...(targetPort === port ? {} : { targetPort }),
      })),
      workloadSelector: { labels: selector },
    },
  };
}

/** What stands before the first `-` of a port's name, as Istio reads it. */
function protocolOf(name: string): string {
  const known = ['http', 'https', 'grpc', 'http2', 'mongo', 'tcp', 'tls'];
  const word = name.split('-')[0] ?? '';
  return known.includes(word) ? word.toUpperCase() : 'TCP';
}

/** Looks whether the selector really takes the entries that are there; a VM that has not joined yet has none. */
function selectionStep(scope: ClusterScope, ref: ObjectRef, all: readonly Member[], selector: Labels): Step {
  const { api, entry, ports } = scope;
  const find = async (
    options?: CallOptions,
  ): Promise<readonly { readonly vm: string; readonly name: string; readonly selected: boolean }[]> => {
    const apiVersion = networkingVersion(scope.controlPlane.release);
    const entries = await api.list({ apiVersion, kind: 'WorkloadEntry', namespace: ref.namespace }, options);
    return all.flatMap(({ vm, address, live }) => {
      const own = entries.find((one) => isEntryOf(one, live, vm, address));
      return own === undefined
        ? []
        : [{ vm: vm.name, name: refName(entryFacts(own, vm.name, ports.clock.now()).ref), selected: selects(selector, entryLabels(own)) }];
    });
  };
  return {
    id: 'selection',
    title: message('istiod.register.check'),
    target: entry.context,
    readOnly: true,
    async preview(options) {
      const found = await find(options);
      const waiting = all.filter(({ vm }) => !found.some((one) => one.vm === vm.name)).map(({ vm }) => vm.name);
      return {
        needed: true,
        details: [
          ...found.map(({ name, vm }) => ({ kind: 'note', text: message('istiod.register.takes', { name, vm }) }) as const),
          ...waiting.map((vm) => ({ kind: 'note', text: message('istiod.register.waits', { vm }) }) as const),
        ],
      };
    },
    async run(options) {
      const left = (await find(options)).filter(({ selected }) => !selected).map(({ name }) => name);
      if (left.length > 0) throw problem('istiod.register.not-selected', { entries: left.join(', '), selector: labelText(selector) });
    },
  };
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
