// Makes of a lab's cluster one that is not served, and what it was again.
import type { Lab } from '../env.ts';

export type Unserved = 'ambient-only' | 'networks' | 'remote';

// No node has that label: the lab runs no ztunnel, and only its name is looked for.
const ZTUNNEL = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'ztunnel', namespace: 'istio-system' },
  spec: {
    selector: { matchLabels: { app: 'ztunnel' } },
    template: {
      metadata: { labels: { app: 'ztunnel' } },
      spec: { nodeSelector: { 'lab.mesh-expansion/none': 'true' }, containers: [{ name: 'istio-proxy', image: 'istio/ztunnel:1.31.0' }] },
    },
  },
});

/** Runs `work` while the cluster is ambient-only, has the workload group vm/mysql on a network of its own, or is the remote of another cluster. */
export async function whileUnserved(lab: Lab, unserved: Unserved, work: () => Promise<void>): Promise<void> {
  const system = (...argv: string[]) => lab.kubectl(['-n', 'istio-system', ...argv]);
  const network = (value: string | null) =>
    lab.kubectl([
      ...['-n', 'vm', 'patch', 'workloadgroups.networking.istio.io', 'mysql', '--type=merge'],
      ...['-p', JSON.stringify({ spec: { template: { network: value } } })],
    ]);
  const selector = (value: object | null) =>
    system('patch', 'service', 'istiod', '--type=merge', '-p', JSON.stringify({ spec: { selector: value } }));
  const world: Record<Unserved, { make(): Promise<unknown>; restore(): Promise<unknown> }> = {
    'ambient-only': {
      async make() {
        await lab.kubectl(['apply', '-f', '-'], { input: ZTUNNEL });
        await system('set', 'env', 'deployment/istiod', 'PILOT_ENABLE_AMBIENT=true');
        await lab.kubectl(['label', 'namespace', 'bookinfo', 'istio-injection-', 'istio.io/dataplane-mode=ambient']);
      },
      async restore() {
        await lab.kubectl(['label', 'namespace', 'bookinfo', 'istio-injection=enabled', 'istio.io/dataplane-mode-']);
        await system('set', 'env', 'deployment/istiod', 'PILOT_ENABLE_AMBIENT-');
        await system('delete', 'daemonset', 'ztunnel');
      },
    },
    networks: {
      async make() {
        await lab.kubectl(['label', 'namespace', 'istio-system', 'topology.istio.io/network=pods']);
        await network('machines');
      },
      async restore() {
        await network(null);
        await lab.kubectl(['label', 'namespace', 'istio-system', 'topology.istio.io/network-']);
      },
    },
    // istiod keeps running: what leads to it is a Service without a selector, as a remote cluster has one.
    remote: {
      async make() {
        await selector(null);
        await system('label', 'deployment/istiod', 'pod/istiod-lab', 'app-');
      },
      async restore() {
        await system('label', 'deployment/istiod', 'pod/istiod-lab', 'app=istiod');
        await selector({ app: 'istiod', istio: 'pilot' });
      },
    },
  };
  try {
    await world[unserved].make();
    await work();
  } finally {
    await world[unserved].restore();
  }
}
