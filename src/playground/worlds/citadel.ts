import { CertificateAuthority } from '../certificates.ts';
import { seedObjects } from '../citadel/seed.ts';
import { CitadelSidecar } from '../citadel/sidecar.ts';
import { PlaygroundCluster } from '../cluster/api.ts';
import { Controllers } from '../cluster/controllers.ts';
import { ObjectStore } from '../cluster/store.ts';
import { TokenIssuer } from '../cluster/tokens.ts';
import { Ledger } from '../machine/ledger.ts';
import { Machine } from '../machine/machine.ts';
import { Network } from '../machine/network.ts';
import type { World, WorldOptions, WorldPlan } from './world.ts';

const context = 'playground';
const machines = [
  { name: 'playground-vm-1', address: '10.150.0.101' },
  { name: 'playground-vm-2', address: '10.150.0.102' },
];

/** A cluster with Istio 1.0.3, not yet prepared for mesh expansion, and two Debian machines. */
export const citadelWorld: WorldPlan = { context, machines, build };

async function build({ clock, addressDelayMs, denied, newKeys }: WorldOptions): Promise<World> {
  const store = new ObjectStore(clock);
  const controllers = new Controllers(store, clock, addressDelayMs, await CertificateAuthority.create(clock, newKeys));
  controllers.start();
  for (const object of seedObjects()) store.put(object);
  await controllers.settled();
  const network = new Network(store);
  return {
    cluster: new PlaygroundCluster({ context, store, clock, denied, tokens: new TokenIssuer(store, clock), version: 'v1.11.3-playground' }),
    machines: new Map(
      machines.map((spec) => {
        const tools = ['curl', 'procps', 'iproute2', 'dnsmasq'];
        const machine = new Machine({ ...spec, debian: '11', tools }, network, clock, new CitadelSidecar());
        return [spec.name, { machine, ledger: new Ledger(machine) }];
      }),
    ),
    stop: () => controllers.stop(),
  };
}
