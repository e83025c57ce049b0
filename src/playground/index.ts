import type { Clock, Connections, PackageFetcher } from '../mesh/ports.ts';
import type { KeySource } from './certificates.ts';
import { generateKeys } from './certificates.ts';
import { PlaygroundConnections } from './connections.ts';
import { PlaygroundPackages } from './packages.ts';
import { systemClock } from './pause.ts';
import { citadelWorld } from './worlds/citadel.ts';
import { istiodWorld } from './worlds/istiod.ts';

export interface PlaygroundOptions {
  readonly clock?: Clock;
  /** Milliseconds until a load balancer has its address; default 2,000. */
  readonly addressDelayMs?: number;
  /** Plural resources that the user may not write, e.g. `services`; default none. */
  readonly denied?: readonly string[];
  /** For who makes many playgrounds: keys that are made already. Default: new ones each time. */
  readonly newKeys?: KeySource;
}

export interface Playground {
  readonly connections: Connections;
  readonly packages: PackageFetcher;
  /** Text of a mesh-expansion.yaml to start from. */
  readonly defaultInventory: string;
}

const INVENTORY = `# The playground: two embedded clusters with two embedded machines each, nothing real is touched.
# playground runs Istio 1.0.3, playground-istiod runs Istio 1.31.
version: 1
clusters:
  - name: playground
    context: playground
  - name: playground-istiod
    context: playground-istiod
vms:
  - name: playground-vm-1
    host: playground-vm-1
    cluster: playground
    namespace: vm
    serviceAccount: default
  - name: playground-vm-3
    host: playground-vm-3
    cluster: playground-istiod
    namespace: vm
    serviceAccount: orders
    address: 10.150.0.103
    workloadGroup: orders
services:
  - name: mysql
    cluster: playground
    namespace: onprem
    ports: [{ name: mysql, port: 3306 }]
    vms: [playground-vm-1]
  - name: orders
    cluster: playground-istiod
    namespace: vm
    ports: [{ name: http-orders, port: 8080 }]
    vms: [playground-vm-3]
    labels: { app: orders }
`;

/** Two embedded clusters, with Istio 1.0.3 and with istiod 1.31, and two embedded machines beside each, behind the same ports as the real ones; each call makes new ones. */
export function createPlayground(options: PlaygroundOptions = {}): Playground {
  const clock = options.clock ?? systemClock;
  return {
    connections: new PlaygroundConnections([citadelWorld, istiodWorld], {
      clock,
      live: options.clock === undefined,
      addressDelayMs: options.addressDelayMs ?? 2000,
      denied: options.denied ?? [],
      newKeys: options.newKeys ?? generateKeys,
    }),
    packages: new PlaygroundPackages(clock),
    defaultInventory: INVENTORY,
  };
}
