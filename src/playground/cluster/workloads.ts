import type { KubeObject } from '../../mesh/ports.ts';

/** A Deployment of one pod and its Service. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly container: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly podIp: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol?: string }[];
  readonly serviceLabels?: Readonly<Record<string, string>>;
  readonly clusterIp: string;
}

/** Two nodes as GKE has them, and the range of service addresses. */
export function nodeObjects(): readonly KubeObject[] {
  const nodes = [1, 2].map((number): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `playground-node-${number}`, labels: { 'kubernetes.io/hostname': `playground-node-${number}` } },
    spec: { providerID: `gce://playground/europe-west1-b/playground-node-${number}` },
    status: { addresses: [{ type: 'InternalIP', address: `10.150.0.${1 + number}` }], conditions: [{ type: 'Ready', status: 'True' }] },
  }));
  const cidr: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.63.240.0/20'] },
  };
  const kubernetes: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { type: 'ClusterIP', clusterIP: '10.63.240.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }] },
  };
  return [...nodes, cidr, kubernetes];
}

export function namespaceObjects(names: readonly string[]): readonly KubeObject[] {
  return names.map((name): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } }));
}

/** The four services of Bookinfo. */
export function bookinfo(version: string): readonly Workload[] {
  return ['productpage', 'details', 'reviews', 'ratings'].map((name, index): Workload => ({
    name,
    namespace: 'bookinfo',
    image: `docker.io/istio/examples-bookinfo-${name}-v1:${version}`,
    container: name,
    labels: { app: name, version: 'v1' },
    podIp: `10.60.2.${10 + index}`,
    clusterIp: `10.63.242.${10 + index}`,
    ports: [{ name: 'http', port: 9080 }],
  }));
}

export function workloadObjects(workload: Workload): readonly KubeObject[] {
  const { name, namespace, labels } = workload;
  const containers = [
    {
      name: workload.container,
      image: workload.image,
      ports: workload.ports.map((port) => ({ name: port.name.slice(0, 15), containerPort: port.port })),
    },
  ];
  const template = { metadata: { labels }, spec: { containers } };
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
    status: { readyReplicas: 1, replicas: 1 },
  };
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-5d9c8b7f6-x7k2p`, namespace, labels },
    spec: { containers },
    status: { phase: 'Running', podIP: workload.podIp, conditions: [{ type: 'Ready', status: 'True' }] },
  };
  const ports = workload.ports.map((port) => ({
    name: port.name,
    port: port.port,
    protocol: port.protocol ?? 'TCP',
    targetPort: port.port,
  }));
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: workload.serviceLabels ?? labels },
    spec: { type: 'ClusterIP', clusterIP: workload.clusterIp, selector: labels, ports, sessionAffinity: 'None' },
  };
  return [deployment, pod, service];
}
