import type { MeshError } from '../mesh/errors.ts';
import type { Inventory, ServiceEntry } from '../mesh/model.ts';
import type { CheckRun, ClusterFacts, Held, VmFacts } from '../editor/facts.ts';
import {
  byUrgency,
  needsAttention,
  type ClusterNode,
  type EndpointNode,
  type ErrorNode,
  type GroupNode,
  type HintNode,
  type Node,
  type ServiceNode,
  type VmNode,
  type VmState,
} from './nodes.ts';

/** What the nodes are built from. */
export interface Known {
  readonly inventory: Inventory;
  readonly playground: boolean;
  readonly cluster: (name: string) => Held<ClusterFacts>;
  readonly vm: (name: string) => Held<VmFacts>;
  readonly checks: (vm: string) => CheckRun | undefined;
}

export function errorNode(id: string, error: MeshError, retry: ErrorNode['retry'], parent?: Node): ErrorNode {
  return { kind: 'error', id: `error:${id}`, error, retry, parent };
}

export function clusterNodes(known: Known): readonly ClusterNode[] {
  return known.inventory.clusters.map((cluster) => ({
    kind: 'cluster',
    id: `cluster:${cluster.name}`,
    cluster,
    facts: known.cluster(cluster.name),
    playground: known.playground,
  }));
}

/** Children of a node from what is known now; reads nothing. */
export function childrenOf(node: Node, known: Known): readonly Node[] {
  switch (node.kind) {
    case 'cluster':
      return clusterChildren(node, known);
    case 'group':
      return groupChildren(node, known);
    case 'vm':
      return vmChildren(node, known);
    case 'service':
      return (node.registered?.endpoints ?? []).map((endpoint): EndpointNode => ({
        kind: 'endpoint',
        id: `endpoint:${node.id}:${endpoint.address}`,
        parent: node,
        address: endpoint.address,
        ports: endpoint.ports,
        vm: endpoint.vm ?? vmWithAddress(endpoint.address, node.cluster, known),
      }));
    default:
      return [];
  }
}

function clusterChildren(node: ClusterNode, known: Known): readonly Node[] {
  const name = node.cluster.name;
  const facts = known.cluster(name);
  const error = facts.error === undefined ? [] : [errorNode(node.id, facts.error, { kind: 'cluster', cluster: name }, node)];
  const vms = vmsOf(name, known, node);
  const group = (kind: GroupNode['group'], count: number, good: number, attention = 0): GroupNode => ({
    kind: 'group',
    id: `group:${kind}:${name}`,
    parent: node,
    group: kind,
    cluster: name,
    count,
    good,
    attention,
    loading: facts.loading && facts.value === undefined,
  });
  const vmGroup = group(
    'vms',
    vms.length,
    vms.filter(({ status }) => status.value !== undefined && status.value.condition !== 'not-joined').length,
    vms.filter((vm) => needsAttention(vm.state)).length,
  );
  if (facts.value === undefined && !facts.loading) return [...error, ...(vms.length > 0 ? [vmGroup] : [])];
  const balancers = facts.value?.loadBalancers ?? [];
  const services = servicesOf(name, known, node);
  return [
    ...error,
    group('loadBalancers', balancers.length, balancers.filter((balancer) => balancer.state === 'ready').length),
    vmGroup,
    group('services', services.length, services.filter((service) => service.registered !== undefined).length),
  ];
}

function groupChildren(node: GroupNode, known: Known): readonly Node[] {
  const hint = (kind: HintNode['hint']): readonly Node[] => [
    { kind: 'hint', id: `hint:${node.id}`, parent: node, hint: kind, cluster: node.cluster },
  ];
  const facts = known.cluster(node.cluster);
  if (node.group === 'vms') {
    const vms = [...vmsOf(node.cluster, known, node)].sort(
      (one, other) => byUrgency(one.state, other.state) || one.vm.name.localeCompare(other.vm.name),
    );
    const unmanaged = (facts.value?.unmanaged ?? [])
      .filter(({ address }) => vmWithAddress(address, node.cluster, known) === undefined)
      .map((machine): Node => ({
        kind: 'unmanaged',
        id: `unmanaged:${node.cluster}:${machine.address}`,
        parent: node,
        cluster: node.cluster,
        machine,
      }));
    return vms.length + unmanaged.length === 0 ? hint('noVms') : [...vms, ...unmanaged];
  }
  if (facts.value === undefined) return hint('reading');
  if (node.group === 'services') {
    const services = servicesOf(node.cluster, known, node);
    return services.length === 0 ? hint('noServices') : services;
  }
  const { loadBalancers } = facts.value;
  if (loadBalancers.every((balancer) => balancer.state === 'missing')) return hint('noBalancers');
  return loadBalancers.map((balancer): Node => ({
    kind: 'loadBalancer',
    id: `loadBalancer:${node.cluster}:${balancer.role}:${balancer.ref.name}`,
    parent: node,
    cluster: node.cluster,
    balancer,
  }));
}

function vmsOf(cluster: string, known: Known, parent: Node): readonly VmNode[] {
  return known.inventory.vms
    .filter((vm) => vm.cluster === cluster)
    .map((vm) => {
      const status = known.vm(vm.name);
      return { kind: 'vm', id: `vm:${vm.name}`, parent, cluster, vm, status, state: stateOf(status) };
    });
}

/** A machine that cannot be asked for want of a person (host key, password) needs one; other errors are the machine's or of what its files are made from. */
export function stateOf(status: Held<VmFacts>): VmState {
  if (status.error !== undefined)
    return status.error.kind === 'person' ? 'needs-person' : status.error.code.startsWith('host.') ? 'unreachable' : 'blocked';
  return status.value?.condition ?? 'unknown';
}

function vmChildren(node: VmNode, known: Known): readonly Node[] {
  const { error, value } = known.vm(node.vm.name);
  const failed: readonly Node[] = error === undefined ? [] : [errorNode(node.id, error, { kind: 'vm', vm: node.vm.name }, node)];
  if (value === undefined) return failed;
  const files = value.files.map(({ file, drift }): Node => {
    const remote = value.state.files.find(({ path }) => path === file.path);
    const facts = remote?.certificate ?? (file.content.kind === 'secret' ? file.content.facts : undefined);
    const notAfter = file.content.kind === 'secret' && facts?.notAfter !== '' ? facts?.notAfter : undefined;
    return {
      kind: 'file',
      id: `file:${node.vm.name}:${file.path}`,
      parent: node,
      cluster: node.cluster,
      vm: node.vm.name,
      file,
      drift,
      edited: value.edited.includes(file.path),
      notAfter,
    };
  });
  const units = value.units
    .filter((unit) => unit.load !== 'not-found')
    .map((unit): Node => ({ kind: 'unit', id: `unit:${node.vm.name}:${unit.name}`, parent: node, vm: node.vm.name, unit }));
  const checks: Node = { kind: 'checks', id: `checks:${node.vm.name}`, parent: node, vm: node.vm.name, run: known.checks(node.vm.name) };
  return [...failed, ...files, ...units, ...(value.condition === 'not-joined' && known.checks(node.vm.name) === undefined ? [] : [checks])];
}

/** The VM that was asked for its addresses and has this one. */
function vmWithAddress(address: string, cluster: string, known: Known): string | undefined {
  return known.inventory.vms.find(
    (vm) => vm.cluster === cluster && known.vm(vm.name).value?.state.facts?.addresses.some((own) => own.address === address) === true,
  )?.name;
}

function servicesOf(cluster: string, known: Known, parent: Node): readonly ServiceNode[] {
  const registered = known.cluster(cluster).value?.services ?? [];
  const entries = known.inventory.services.filter((service) => service.cluster === cluster);
  const node = (name: string, namespace: string, entry: ServiceEntry | undefined): ServiceNode => ({
    kind: 'service',
    id: `service:${cluster}:${namespace}/${name}`,
    parent,
    cluster,
    name,
    namespace,
    entry,
    registered: registered.find(({ ref }) => ref.name === name && ref.namespace === namespace),
  });
  const fromCluster = registered.map(({ ref }) =>
    node(
      ref.name,
      ref.namespace ?? '',
      entries.find((entry) => entry.name === ref.name && entry.namespace === ref.namespace),
    ),
  );
  const onlyEntries = entries
    .filter((entry) => !registered.some(({ ref }) => ref.name === entry.name && ref.namespace === entry.namespace))
    .map((entry) => node(entry.name, entry.namespace, entry));
  return [...fromCluster, ...onlyEntries].sort((one, other) =>
    `${one.namespace}/${one.name}`.localeCompare(`${other.namespace}/${other.name}`),
  );
}
