import { message } from '../mesh/messages.ts';
import type { ServiceEntry } from '../mesh/model.ts';
import { servingState } from './balancers.ts';
import {
  needsAttention,
  type ClusterNode,
  type EndpointNode,
  type GroupNode,
  type HintNode,
  type Node,
  type NoticeNode,
  type ServiceNode,
} from './nodes.ts';
import { errorNode, ungroupedVms, vmChildren, vmNodes, vmWithAddress, type Known } from './vmNodes.ts';
import { workloadGroupChildren, workloadGroupNodes } from './workloadGroupNodes.ts';

export { errorNode, type Known } from './vmNodes.ts';

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
    case 'workloadGroup': {
      const below = workloadGroupChildren(node, known);
      return below.length === 0 ? [hintNode(node, node.cluster, 'noGroupVms')] : below;
    }
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
  const vms = vmNodes(ungroupedVms(name, known), known, node);
  const group = (kind: GroupNode['group'], counts: Pick<GroupNode, 'count' | 'good'> & { readonly attention?: number }): GroupNode => ({
    kind: 'group',
    id: `group:${kind}:${name}`,
    parent: node,
    group: kind,
    cluster: name,
    attention: 0,
    ...counts,
    loading: facts.loading && facts.value === undefined,
  });
  const vmGroup = group('vms', {
    count: vms.length,
    good: vms.filter(({ status }) => status.value !== undefined && status.value.condition !== 'not-joined').length,
    attention: vms.filter((vm) => needsAttention(vm.state)).length,
  });
  if (facts.value === undefined && !facts.loading) return [...error, ...(vms.length > 0 ? [vmGroup] : [])];
  const balancers = facts.value?.loadBalancers ?? [];
  const services = servicesOf(name, known, node);
  const groups = facts.value?.workloadGroups === undefined ? undefined : workloadGroupNodes(name, known, node);
  const sum = (of: 'count' | 'connected' | 'attention') => (groups ?? []).reduce((total, one) => total + one[of], 0);
  // Where machines are made from groups, those without one are the exception.
  const showsVms = groups === undefined || vms.length > 0 || unlistedMachines(name, known).length > 0;
  return [
    ...error,
    ...noticesOf(node, known),
    group('loadBalancers', { count: balancers.length, good: balancers.filter((balancer) => servingState(balancer) === 'ready').length }),
    ...(groups === undefined
      ? []
      : [group('workloadGroups', { count: sum('count'), good: sum('connected'), attention: sum('attention') })]),
    ...(showsVms ? [vmGroup] : []),
    group('services', { count: services.length, good: services.filter((service) => service.registered !== undefined).length }),
  ];
}

/** What is missing in a cluster, what of it is not served, and what of it the account may not watch: refusals of joins first. */
function noticesOf(node: ClusterNode, known: Known): readonly NoticeNode[] {
  const { controlPlane, unwatched = [] } = known.cluster(node.cluster.name).value ?? {};
  const { details = [], limits = [] } = controlPlane ?? {};
  const refusals = new Map(unwatched.map(({ userMessage }) => [JSON.stringify(userMessage), userMessage]));
  const notice = (id: string, rest: Pick<NoticeNode, 'text' | 'value' | 'nextStep' | 'blocking' | 'fixable'>): NoticeNode => ({
    kind: 'notice',
    id: `notice:${node.cluster.name}:${id}`,
    parent: node,
    cluster: node.cluster.name,
    ...rest,
  });
  return [
    ...[...limits]
      .sort((one, other) => Number(other.blocking) - Number(one.blocking))
      .map(({ id, text, nextStep, blocking }, index) => notice(`limit:${id}:${index}`, { text, nextStep, blocking, fixable: false })),
    ...details
      .filter(({ attention }) => attention === true)
      .map(({ id, label, value }, index) => notice(`detail:${id}:${index}`, { text: label, value, blocking: false, fixable: true })),
    ...[...refusals].map(([id, text]) =>
      notice(`unwatched:${id}`, { text, nextStep: message('editor.notice.unwatched'), blocking: false, fixable: false }),
    ),
  ];
}

/** Addresses that only the cluster knows, without those that a workload group lists. */
function unlistedMachines(cluster: string, known: Known) {
  const { unmanaged = [], workloadGroups = [] } = known.cluster(cluster).value ?? {};
  const listed = new Set(workloadGroups.flatMap(({ entries }) => entries.map(({ address }) => address)));
  return unmanaged.filter(({ address }) => !listed.has(address) && vmWithAddress(address, cluster, known) === undefined);
}

function hintNode(parent: Node, cluster: string, hint: HintNode['hint']): HintNode {
  return { kind: 'hint', id: `hint:${parent.id}`, parent, hint, cluster };
}

function groupChildren(node: GroupNode, known: Known): readonly Node[] {
  const hint = (kind: HintNode['hint']): readonly Node[] => [hintNode(node, node.cluster, kind)];
  const facts = known.cluster(node.cluster);
  if (node.group === 'vms') {
    const vms = vmNodes(ungroupedVms(node.cluster, known), known, node);
    const unmanaged = unlistedMachines(node.cluster, known).map((machine): Node => ({
      kind: 'unmanaged',
      id: `unmanaged:${node.cluster}:${machine.address}`,
      parent: node,
      cluster: node.cluster,
      machine,
    }));
    return vms.length + unmanaged.length === 0 ? hint('noVms') : [...vms, ...unmanaged];
  }
  if (facts.value === undefined) return hint('reading');
  if (node.group === 'workloadGroups') {
    const groups = workloadGroupNodes(node.cluster, known, node);
    return groups.length === 0 ? hint('noGroups') : groups;
  }
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
