import { Document } from 'yaml';
import type { LoadBalancer, LoadBalancerState } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import type { ClusterScope } from '../era.ts';
import type { BalancerAddresses } from './dnsmasq.ts';
import { problem, refName } from '../problem.ts';
import { factsOf } from './factsOf.ts';
import type { ProviderFacts } from './providers.ts';
import type { BalancerFacts, BalancerRole, ReleaseFacts } from './releases.ts';
import { serviceEvents } from '../cluster/serviceEvents.ts';
import { at, listAt, numberAt, textAt } from '../cluster/untrusted.ts';

/** The internal load balancers by which VMs reach the control plane (citadel facts 3). */

export const KUBE_SYSTEM = 'kube-system';
export const ADDRESS_FIELD = 'status.loadBalancer.ingress[0].ip';

export function balancerRef(balancer: BalancerFacts, namespace: string): ObjectRef {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    namespace: balancer.namespace === 'kube-system' ? KUBE_SYSTEM : namespace,
    name: balancer.name,
  };
}

/** The four Services for a release and a provider; only dns-ilb does not move with the control plane's namespace. */
export function balancerObjects(facts: ReleaseFacts, namespace: string, provider: ProviderFacts): readonly KubeObject[] {
  return facts.balancers.map((balancer) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: balancer.name,
      namespace: balancerRef(balancer, namespace).namespace,
      annotations: provider.annotations,
      labels: balancer.selector,
    },
    spec: { type: 'LoadBalancer', ports: balancer.ports, selector: balancer.selector },
  }));
}

/** The objects as a YAML stream for people to read and edit. */
export function balancerManifest(facts: ReleaseFacts, objects: readonly KubeObject[], release: string, provider: ProviderFacts): string {
  const head = [
    `# Internal load balancers of Istio ${release}: by their addresses VMs reach Pilot, Mixer, the certificate authority and the cluster's DNS.`,
    `# The annotation makes them internal on ${provider.provider}. Without it they are public.`,
    "# Names and namespaces are fixed, because the VMs' files are made from them; everything else may be changed.",
  ];
  const documents = objects.map((object) => {
    const balancer = facts.balancers.find(({ name }) => name === object.metadata.name);
    const document = new Document(object, { aliasDuplicateObjects: false });
    if (balancer !== undefined) document.commentBefore = ` ${balancer.comment}`;
    return document.toString({ lineWidth: 0 });
  });
  return `${head.join('\n')}\n${documents.map((text) => `---\n${text}`).join('')}`;
}

/** The load balancers as they are, with the events that explain one without an address. */
export async function readBalancers(scope: ClusterScope, options: CallOptions = {}): Promise<readonly LoadBalancer[]> {
  return Promise.all(factsOf(scope).balancers.map((balancer) => readBalancer(scope.api, balancer, scope.entry.istio.namespace, options)));
}

async function readBalancer(api: ClusterApi, balancer: BalancerFacts, namespace: string, options: CallOptions): Promise<LoadBalancer> {
  const ref = balancerRef(balancer, namespace);
  const service = await api.get(ref, options);
  const found = describeBalancer(ref, balancer.role, service);
  return found.state === 'ready' || found.state === 'missing' ? found : { ...found, events: await serviceEvents(api, ref, options) };
}

export function describeBalancer(ref: ObjectRef, role: BalancerRole, service: KubeObject | undefined): LoadBalancer {
  const address = textAt(service, 'status', 'loadBalancer', 'ingress', 0, 'ip');
  const hostname = textAt(service, 'status', 'loadBalancer', 'ingress', 0, 'hostname');
  return {
    ref,
    role,
    state: stateOf(service, address, hostname),
    address: address ?? hostname,
    ports: listAt(service, 'spec', 'ports').map((port) => ({
      port: numberAt(port, 'port') ?? 0,
      protocol: textAt(port, 'protocol') ?? 'TCP',
      name: textAt(port, 'name'),
    })),
    createdAt: service?.metadata.creationTimestamp,
    events: [],
  };
}

function stateOf(service: KubeObject | undefined, address: string | undefined, hostname: string | undefined): LoadBalancerState {
  if (service === undefined) return 'missing';
  if (address !== undefined) return 'ready';
  return hostname === undefined ? 'pending' : 'hostname';
}

/**
 * Addresses of all four, for the files of a VM. Throws `cluster.balancer-missing`, `cluster.balancer-pending`, `cluster.balancer-hostname` (the scripts wait
 * ten minutes and then say nothing: citadel facts 1.1).
 */
export function balancerAddresses(balancers: readonly LoadBalancer[], readAt: string): BalancerAddresses {
  const of = (role: BalancerRole): BalancerAddresses[BalancerRole] => {
    const balancer = balancers.find((one) => one.role === role);
    if (balancer?.address === undefined || balancer.state !== 'ready') throw withoutAddress(balancer, role);
    return { value: balancer.address, from: { kind: 'object', object: balancer.ref, field: ADDRESS_FIELD }, readAt };
  };
  return { pilot: of('pilot'), mixer: of('mixer'), citadel: of('citadel'), dns: of('dns') };
}

export function withoutAddress(balancer: LoadBalancer | undefined, role: string): Error {
  const name = balancer === undefined ? role : refName(balancer.ref);
  if (balancer === undefined || balancer.state === 'missing') return problem('cluster.balancer-missing', { name });
  if (balancer.state === 'hostname') return problem('cluster.balancer-hostname', { name, hostname: balancer.address ?? '' });
  const [event] = balancer.events;
  const args = { name, namespace: balancer.ref.namespace ?? '', service: balancer.ref.name };
  return event === undefined
    ? problem('cluster.balancer-pending', args)
    : problem('cluster.balancer-pending', { ...args, reason: event.reason, text: event.text }, { id: 'cluster.balancer-pending-event' });
}

/** The cluster IP of a Service, unless it is headless. */
export function clusterIpOf(service: unknown): string | undefined {
  const value = at(service, 'spec', 'clusterIP');
  return typeof value === 'string' && value !== '' && value !== 'None' ? value : undefined;
}
