import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, ClusterApi, Clock, Connections, ContextInfo, HostAlias, VmHost } from '../mesh/ports.ts';
import { CertificateAuthority } from './certificates.ts';
import { PlaygroundCluster } from './cluster/api.ts';
import { Controllers } from './cluster/controllers.ts';
import { seedObjects } from './cluster/seed.ts';
import { ObjectStore } from './cluster/store.ts';
import { PlaygroundHost } from './machine/host.ts';
import { Ledger } from './machine/ledger.ts';
import { Machine } from './machine/machine.ts';
import { Network } from './machine/network.ts';

export const CONTEXT = 'playground';
const MACHINES = [
  { name: 'playground-vm-1', address: '10.150.0.101' },
  { name: 'playground-vm-2', address: '10.150.0.102' },
];

interface World {
  readonly cluster: PlaygroundCluster;
  readonly controllers: Controllers;
  readonly machines: ReadonlyMap<string, { readonly machine: Machine; readonly ledger: Ledger }>;
}

export interface WorldOptions {
  readonly clock: Clock;
  /** Milliseconds until a load balancer has its address. */
  readonly addressDelayMs: number;
  /** Plural resources that the user may not write. */
  readonly denied: readonly string[];
}

/** One embedded cluster and two embedded machines; built when first asked for, so that opening the playground costs nothing. */
export class PlaygroundConnections implements Connections {
  readonly #options: WorldOptions;
  #world: Promise<World> | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  contexts(): Promise<readonly ContextInfo[]> {
    return Promise.resolve([{ name: CONTEXT, server: 'playground (in memory)', namespace: 'default', current: true, runsProgram: false }]);
  }

  async cluster(context: string): Promise<ClusterApi> {
    if (context !== CONTEXT) {
      throw new MeshError({
        code: 'kube.unknown-context',
        kind: 'bad-input',
        userMessage: message('playground.no-context', { context }),
        nextStep: message('playground.no-context.next', { context: CONTEXT }),
      });
    }
    const { cluster } = await this.#build();
    return cluster;
  }

  hosts(): Promise<readonly HostAlias[]> {
    return Promise.resolve(MACHINES.map(({ name, address }) => ({ alias: name, hostName: address, user: 'admin' })));
  }

  async host(alias: string, options?: CallOptions): Promise<VmHost> {
    options?.signal?.throwIfAborted();
    const { machines } = await this.#build();
    const found = machines.get(alias);
    if (!found) {
      throw new MeshError({
        code: 'host.unreachable',
        userMessage: message('playground.no-host', { host: alias }),
        nextStep: message('playground.no-host.next', { hosts: MACHINES.map(({ name }) => name).join(', ') }),
      });
    }
    return new PlaygroundHost(found.machine, found.ledger);
  }

  async close(): Promise<void> {
    const world = await this.#world;
    world?.controllers.stop();
  }

  #build(): Promise<World> {
    return (this.#world ??= build(this.#options));
  }
}

async function build({ clock, addressDelayMs, denied }: WorldOptions): Promise<World> {
  const store = new ObjectStore(clock);
  const authority = await CertificateAuthority.create(clock);
  const controllers = new Controllers(store, clock, authority, addressDelayMs);
  controllers.start();
  for (const object of seedObjects()) store.put(object);
  await controllers.settled();
  const network = new Network(store);
  const machines = new Map(
    MACHINES.map(({ name, address }) => {
      const machine = new Machine(name, address, network, clock);
      return [name, { machine, ledger: new Ledger(machine) }];
    }),
  );
  return { cluster: new PlaygroundCluster(CONTEXT, store, clock, denied), controllers, machines };
}
