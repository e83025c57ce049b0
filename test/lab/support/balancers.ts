// The internal load balancers that Set Up Cluster makes for Istio 1.0.3.
import type { Lab } from '../env.ts';

/** Names and namespaces: citadel facts 3. */
export const BALANCER_NAMES = [
  ['istio-system', 'istio-pilot-ilb'],
  ['istio-system', 'mixer-ilb'],
  ['istio-system', 'citadel-ilb'],
  ['kube-system', 'dns-ilb'],
] as const;

/** Takes them away, whoever set the cluster up: a test that sets it up must not find it done. */
export async function removeBalancers(lab: Lab): Promise<void> {
  const items = BALANCER_NAMES.map(([namespace, name]) => ({ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } }));
  await lab.kubectl(['delete', '--ignore-not-found', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
}
