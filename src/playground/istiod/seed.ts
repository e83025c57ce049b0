import type { KubeObject } from '../../mesh/ports.ts';
import { bookinfo, namespaceObjects, nodeObjects, workloadObjects, type Workload } from '../cluster/workloads.ts';

/** What the playground's second cluster holds at the start: Istio 1.31 with an east-west gateway that does not lead to istiod yet (istiod facts 3.1), and Bookinfo. */

export const RELEASE = '1.31.0';
const NAMESPACES = ['default', 'kube-system', 'istio-system', 'bookinfo', 'vm', 'onprem'];
export const GATEWAY_ADDRESS = '10.150.0.10';
const REVISION = { 'istio.io/rev': 'default' };

const WORKLOADS: readonly Workload[] = [
  {
    name: 'istiod',
    namespace: 'istio-system',
    image: `docker.io/istio/pilot:${RELEASE}`,
    container: 'discovery',
    labels: { app: 'istiod', istio: 'pilot', ...REVISION },
    podIp: '10.60.1.4',
    clusterIp: '10.63.247.248',
    ports: [
      { name: 'grpc-xds', port: 15010 },
      { name: 'https-dns', port: 15012 },
      { name: 'https-webhook', port: 443 },
      { name: 'http-monitoring', port: 15014 },
    ],
  },
  {
    name: 'istio-ingressgateway',
    namespace: 'istio-system',
    image: `docker.io/istio/proxyv2:${RELEASE}`,
    container: 'istio-proxy',
    labels: { app: 'istio-ingressgateway', istio: 'ingressgateway' },
    podIp: '10.60.2.4',
    clusterIp: '10.63.243.30',
    ports: [
      { name: 'http2', port: 80 },
      { name: 'https', port: 443 },
    ],
  },
  ...bookinfo('1.20.3'),
];

const GATEWAY: Workload = {
  name: 'istio-eastwestgateway',
  namespace: 'istio-system',
  image: `docker.io/istio/proxyv2:${RELEASE}`,
  container: 'istio-proxy',
  labels: { app: 'istio-eastwestgateway', istio: 'eastwestgateway' },
  podIp: '10.60.2.5',
  clusterIp: '10.63.243.31',
  ports: [
    { name: 'status-port', port: 15021 },
    { name: 'tls', port: 15443 },
    { name: 'tls-istiod', port: 15012 },
    { name: 'tls-webhook', port: 15017 },
  ],
};

const MESH = `defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
defaultProviders:
  metrics:
  - prometheus
enablePrometheusMerge: true
rootNamespace: istio-system
trustDomain: cluster.local
`;
const VALUES = {
  global: {
    istioNamespace: 'istio-system',
    meshID: '',
    multiCluster: { clusterName: 'Kubernetes', enabled: false },
    network: '',
    tag: RELEASE,
  },
};

/** Every object of the start, in the order in which controllers must see them. */
export function seedObjects(): readonly KubeObject[] {
  return [
    ...namespaceObjects(NAMESPACES),
    ...nodeObjects(),
    configMap('istio', { mesh: MESH, meshNetworks: 'networks: {}' }),
    configMap('istio-sidecar-injector', { config: 'policy: enabled\n', values: JSON.stringify(VALUES, undefined, 2) }),
    webhook('istio-sidecar-injector', REVISION),
    webhook('istio-revision-tag-default', { ...REVISION, 'istio.io/tag': 'default' }),
    ...WORKLOADS.flatMap(workloadObjects),
    ...workloadObjects(GATEWAY).map((object) => (object.kind === 'Service' ? balanced(object) : object)),
  ];
}

/** The gateway was installed before: its balancer has its address. */
function balanced(service: KubeObject): KubeObject {
  return {
    ...service,
    spec: { ...(service.spec as object), type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: [{ ip: GATEWAY_ADDRESS }] } },
  };
}

function configMap(name: string, data: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'istio-system', labels: REVISION }, data };
}

function webhook(name: string, labels: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, labels: { app: 'sidecar-injector', ...labels } },
    webhooks: [],
  };
}
