import type { KubeObject } from '../../mesh/ports.ts';

/** What the playground's cluster holds at the start: a GKE-like cluster with Istio 1.0.3 and Bookinfo, not yet prepared for mesh expansion. */

export const RELEASE = '1.0.3';
export const NAMESPACES = ['default', 'kube-system', 'istio-system', 'bookinfo', 'vm', 'onprem'];

interface Workload {
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

const WORKLOADS: readonly Workload[] = [
  {
    name: 'istio-pilot',
    namespace: 'istio-system',
    image: `docker.io/istio/pilot:${RELEASE}`,
    container: 'discovery',
    labels: { istio: 'pilot', app: 'pilot' },
    podIp: '10.60.1.4',
    clusterIp: '10.63.247.248',
    ports: [
      { name: 'grpc-xds', port: 15010 },
      { name: 'https-xds', port: 15011 },
      { name: 'http-legacy-discovery', port: 8080 },
      { name: 'http-monitoring', port: 9093 },
    ],
  },
  {
    name: 'istio-policy',
    namespace: 'istio-system',
    image: `docker.io/istio/mixer:${RELEASE}`,
    container: 'mixer',
    labels: { istio: 'mixer', 'istio-mixer-type': 'policy', app: 'policy' },
    podIp: '10.60.1.5',
    clusterIp: '10.63.244.11',
    ports: [
      { name: 'grpc-mixer', port: 9091 },
      { name: 'grpc-mixer-mtls', port: 15004 },
      { name: 'http-monitoring', port: 9093 },
    ],
  },
  {
    name: 'istio-telemetry',
    namespace: 'istio-system',
    image: `docker.io/istio/mixer:${RELEASE}`,
    container: 'mixer',
    labels: { istio: 'mixer', 'istio-mixer-type': 'telemetry', app: 'telemetry' },
    podIp: '10.60.1.6',
    clusterIp: '10.63.244.12',
    ports: [
      { name: 'grpc-mixer', port: 9091 },
      { name: 'grpc-mixer-mtls', port: 15004 },
      { name: 'http-monitoring', port: 9093 },
    ],
  },
  {
    name: 'istio-citadel',
    namespace: 'istio-system',
    image: `docker.io/istio/citadel:${RELEASE}`,
    container: 'citadel',
    labels: { istio: 'citadel' },
    podIp: '10.60.2.3',
    clusterIp: '10.63.245.21',
    ports: [
      { name: 'grpc-citadel', port: 8060 },
      { name: 'http-monitoring', port: 9093 },
    ],
  },
  {
    name: 'istio-ingressgateway',
    namespace: 'istio-system',
    image: `docker.io/istio/proxyv2:${RELEASE}`,
    container: 'istio-proxy',
    labels: { istio: 'ingressgateway', app: 'istio-ingressgateway' },
    podIp: '10.60.2.4',
    clusterIp: '10.63.243.30',
    ports: [
      { name: 'http2', port: 80 },
      { name: 'https', port: 443 },
    ],
  },
  {
    name: 'kube-dns',
    namespace: 'kube-system',
    image: 'k8s.gcr.io/k8s-dns-kube-dns-amd64:1.14.13',
    container: 'kubedns',
    labels: { 'k8s-app': 'kube-dns' },
    podIp: '10.60.1.2',
    clusterIp: '10.63.240.10',
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  },
  ...['productpage', 'details', 'reviews', 'ratings'].map((name, index): Workload => ({
    name,
    namespace: 'bookinfo',
    image: `docker.io/istio/examples-bookinfo-${name}-v1:1.8.0`,
    container: name,
    labels: { app: name, version: 'v1' },
    podIp: `10.60.2.${10 + index}`,
    clusterIp: `10.63.242.${10 + index}`,
    ports: [{ name: 'http', port: 9080 }],
  })),
];

const MESH_CONFIG = `disablePolicyChecks: false
enableTracing: true
authPolicy: NONE
defaultConfig:
  discoveryAddress: istio-pilot.istio-system:15011
  controlPlaneAuthPolicy: MUTUAL_TLS
`;

/** Every object of the start, in the order in which controllers must see them. */
export function seedObjects(): readonly KubeObject[] {
  const namespaces = NAMESPACES.map((name): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    status: { phase: 'Active' },
  }));
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
  const mesh: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: MESH_CONFIG },
  };
  const kubernetes: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { type: 'ClusterIP', clusterIP: '10.63.240.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }] },
  };
  return [...namespaces, ...nodes, cidr, mesh, kubernetes, ...WORKLOADS.flatMap(workloadObjects)];
}

function workloadObjects(workload: Workload): readonly KubeObject[] {
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
