import type { KubeObject } from '../../mesh/ports.ts';
import { bookinfo, namespaceObjects, nodeObjects, workloadObjects, type Workload } from '../cluster/workloads.ts';

/** What the playground's cluster holds at the start: a GKE-like cluster with Istio 1.0.3 and Bookinfo, not yet prepared for mesh expansion. */

export const RELEASE = '1.0.3';
export const NAMESPACES = ['default', 'kube-system', 'istio-system', 'bookinfo', 'vm', 'onprem'];

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
  ...bookinfo('1.8.0'),
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
  const mesh: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: MESH_CONFIG },
  };
  return [...namespaceObjects(NAMESPACES), ...nodeObjects(), mesh, ...WORKLOADS.flatMap(workloadObjects)];
}
