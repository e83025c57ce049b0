import type { Clock, Connections, PackageFetcher } from '../mesh/ports.ts';
import { PlaygroundConnections } from './connections.ts';
import { PlaygroundPackages } from './packages.ts';
import { systemClock } from './pause.ts';
import { citadelWorld } from './worlds/citadel.ts';

export interface PlaygroundOptions {
  readonly clock?: Clock;
  /** Milliseconds until a load balancer has its address; default 2,000. */
  readonly addressDelayMs?: number;
  /** Plural resources that the user may not write, e.g. `services`; default none. */
  readonly denied?: readonly string[];
}

export interface Playground {
  readonly connections: Connections;
  readonly packages: PackageFetcher;
  /** Text of a mesh-expansion.yaml to start from. */
  readonly defaultInventory: string;
}

const INVENTORY = `# The playground: an embedded cluster and two embedded machines, nothing real is touched.
version: 1
clusters:
  - name: playground
    context: playground
vms:
  - name: playground-vm-1
    host: playground-vm-1
    cluster: playground
    namespace: vm
    serviceAccount: default
services:
  - name: mysql
    cluster: playground
    namespace: onprem
    ports: [{ name: mysql, port: 3306 }]
    vms: [playground-vm-1]
`;

/** An embedded cluster with Istio 1.0.3 and two embedded machines behind the same ports as the real ones; each call makes new ones. */
export function createPlayground(options: PlaygroundOptions = {}): Playground {
  const clock = options.clock ?? systemClock;
  return {
    connections: new PlaygroundConnections([citadelWorld], {
      clock,
      addressDelayMs: options.addressDelayMs ?? 2000,
      denied: options.denied ?? [],
    }),
    packages: new PlaygroundPackages(clock),
    defaultInventory: INVENTORY,
  };
}
