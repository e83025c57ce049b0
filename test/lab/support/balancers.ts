// What Set Up Cluster makes for Istio 1.0.3, by the facts.
import type { Lab } from '../env.ts';

/** The load balancers of Istio 1.0.3 as its install/kubernetes/mesh-expansion.yaml has them (citadel facts 3). */
export const BALANCERS = [
  {
    namespace: 'istio-system',
    name: 'istio-pilot-ilb',
    ports: ['https-pilot 15005 TCP', 'http-pilot 8080 TCP', 'grpc-pilot 15010 TCP', 'tls-grpc-pilot 15011 TCP'],
    selector: { istio: 'pilot' },
  },
  { namespace: 'istio-system', name: 'mixer-ilb', ports: ['15004 TCP'], selector: { istio: 'mixer', 'istio-mixer-type': 'telemetry' } },
  { namespace: 'istio-system', name: 'citadel-ilb', ports: ['8060 TCP'], selector: { istio: 'citadel' } },
  { namespace: 'kube-system', name: 'dns-ilb', ports: ['53 UDP'], selector: { 'k8s-app': 'kube-dns' } },
] as const;

/** Takes them away, whoever set the cluster up: a test that sets it up must not find it done. */
export async function removeBalancers(lab: Lab): Promise<void> {
  const items = BALANCERS.map(({ namespace, name }) => ({ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } }));
  await lab.kubectl(['delete', '--ignore-not-found', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
}
