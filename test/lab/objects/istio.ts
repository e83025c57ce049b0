// Istio 1.0.3 as the cluster shows it (citadel facts 3, 7): namespaces' services and workloads, the mesh ConfigMap. The processes behind them are the stand-ins'.
import { stringify } from 'yaml';
import type { LabAddresses } from '../addresses.ts';
import { NODE_NAME } from '../cluster.ts';
import type { LabObject, ObjectWithStatus, Port, Workload } from './kinds.ts';
import { service, workload } from './kinds.ts';

export const ISTIO_RELEASE = '1.0.3';
const NAMESPACE = 'istio-system';
const MONITORING: Port = { name: 'http-monitoring', port: 9093 };
const MIXER: readonly Port[] = [{ name: 'grpc-mixer', port: 9091 }, { name: 'grpc-mixer-mtls', port: 15004 }, MONITORING];

const SELECTORS = {
  pilot: { istio: 'pilot' },
  policy: { istio: 'mixer', 'istio-mixer-type': 'policy' },
  telemetry: { istio: 'mixer', 'istio-mixer-type': 'telemetry' },
  citadel: { istio: 'citadel' },
  ingressgateway: { app: 'istio-ingressgateway', istio: 'ingressgateway' },
} as const;

/** Services, Deployments, ServiceAccounts, the mesh ConfigMap, and the statuses of Pods and Deployments. */
export function istioObjects(addresses: LabAddresses): { objects: LabObject[]; statuses: ObjectWithStatus[] } {
  const parts = workloads(addresses).map((of) => workload(of, NODE_NAME, addresses.router));
  return {
    objects: [meshConfig(), ...services(), ...parts.flatMap(({ objects }) => objects)],
    statuses: parts.flatMap(({ statuses }) => statuses),
  };
}

function services(): LabObject[] {
  return [
    service(NAMESPACE, 'istio-pilot', SELECTORS.pilot, [
      { name: 'grpc-xds', port: 15010 },
      { name: 'https-xds', port: 15011 },
      { name: 'http-legacy-discovery', port: 8080 },
      MONITORING,
    ]),
    service(NAMESPACE, 'istio-policy', SELECTORS.policy, MIXER),
    service(NAMESPACE, 'istio-telemetry', SELECTORS.telemetry, [...MIXER, { name: 'prometheus', port: 42422 }]),
    service(NAMESPACE, 'istio-citadel', SELECTORS.citadel, [{ name: 'grpc-citadel', port: 8060 }, MONITORING]),
    service(
      NAMESPACE,
      'istio-ingressgateway',
      SELECTORS.ingressgateway,
      [
        { name: 'http2', port: 80 },
        { name: 'https', port: 443 },
        { name: 'tcp', port: 31400 },
        { name: 'tcp-pilot-grpc-tls', port: 15011 },
        { name: 'tcp-citadel-grpc-tls', port: 8060 },
        { name: 'tcp-dns-tls', port: 853 },
      ],
      { type: 'LoadBalancer' },
    ),
  ];
}

function workloads({ pods }: LabAddresses): Workload[] {
  const of = (name: string, labels: Readonly<Record<string, string>>, container: string, image: string, address: string): Workload => ({
    namespace: NAMESPACE,
    name,
    serviceAccount: `${name}-service-account`,
    labels,
    container,
    image: `docker.io/istio/${image}:${ISTIO_RELEASE}`,
    address,
  });
  return [
    of('istio-pilot', { ...SELECTORS.pilot, app: 'pilot' }, 'discovery', 'pilot', pods.pilot),
    of('istio-policy', { ...SELECTORS.policy, app: 'policy' }, 'mixer', 'mixer', pods.mixer),
    of('istio-telemetry', { ...SELECTORS.telemetry, app: 'telemetry' }, 'mixer', 'mixer', pods.mixer),
    of('istio-citadel', SELECTORS.citadel, 'citadel', 'citadel', pods.citadel),
    of('istio-ingressgateway', SELECTORS.ingressgateway, 'istio-proxy', 'proxyv2', pods.ingressgateway),
  ];
}

// Control-plane security is on: the guide's cluster.env says MUTUAL_TLS (citadel facts 1).
function meshConfig(): LabObject {
  const mesh = {
    disablePolicyChecks: false,
    enableTracing: true,
    mixerCheckServer: 'istio-policy.istio-system.svc.cluster.local:15004',
    mixerReportServer: 'istio-telemetry.istio-system.svc.cluster.local:15004',
    authPolicy: 'NONE',
    sdsUdsPath: '',
    defaultConfig: {
      connectTimeout: '10s',
      configPath: '/etc/istio/proxy',
      binaryPath: '/usr/local/bin/envoy',
      serviceCluster: 'istio-proxy',
      drainDuration: '45s',
      parentShutdownDuration: '1m0s',
      proxyAdminPort: 15000,
      concurrency: 0,
      controlPlaneAuthPolicy: 'MUTUAL_TLS',
      discoveryAddress: 'istio-pilot.istio-system:15005',
    },
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: NAMESPACE, labels: { app: 'istio', release: 'istio' } },
    data: { mesh: stringify(mesh) },
  };
}
