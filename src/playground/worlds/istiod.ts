import { CertificateAuthority, ISTIOD_LIFE_MS } from '../certificates.ts';
import { PlaygroundCluster } from '../cluster/api.ts';
import { Controllers } from '../cluster/controllers.ts';
import { mirrorSlices } from '../cluster/slices.ts';
import { ObjectStore } from '../cluster/store.ts';
import { TokenIssuer } from '../cluster/tokens.ts';
import { ControlPlane } from '../istiod/controlPlane.ts';
import { seedObjects } from '../istiod/seed.ts';
import { IstiodSidecar } from '../istiod/sidecar.ts';
import { Ledger } from '../machine/ledger.ts';
import { Machine } from '../machine/machine.ts';
import { Network } from '../machine/network.ts';
import type { Application } from '../machine/spec.ts';
import { Work } from '../work.ts';
import type { World, WorldOptions, WorldPlan } from './world.ts';

const context = 'playground-istiod';
const machines = [
  { name: 'playground-vm-3', address: '10.150.0.103' },
  { name: 'playground-vm-4', address: '10.150.0.104' },
];

/** What the machines are in the mesh for; its unit can be stopped, and then its health page is gone. It answers with what it was asked. */
const orders: Application = {
  name: 'orders',
  ports: [8080],
  answer: ({ name }, { pathname, host }, headers) =>
    pathname === '/healthz'
      ? { status: 200, body: 'ok\n' }
      : { status: 200, body: `${JSON.stringify({ hostname: name, method: 'GET', host, path: pathname, headers })}\n` },
};

/** A cluster with Istio 1.31 whose gateway does not lead to istiod yet, and two Debian machines with an application. */
export const istiodWorld: WorldPlan = { context, machines, build };

async function build({ clock, addressDelayMs, denied, live, newKeys }: WorldOptions): Promise<World> {
  const store = new ObjectStore(clock);
  const work = new Work(clock);
  const tokens = new TokenIssuer(store, clock);
  const authority = await CertificateAuthority.create(clock, newKeys, ISTIOD_LIFE_MS);
  const controlPlane = new ControlPlane({ store, clock, authority, tokens, work });
  const controllers = new Controllers(store, clock, addressDelayMs);
  const network = new Network(store, (service) => controlPlane.workloadBehind(service));
  const built = machines.map((spec) => {
    const tools = ['curl', 'procps', 'iproute2', 'sudo', 'hostname'];
    return new Machine({ ...spec, debian: '12', tools, application: orders }, network, clock, new IstiodSidecar(controlPlane, work, live));
  });
  controllers.start();
  const endMirror = mirrorSlices(store);
  const end = controlPlane.start(() => built.forEach((machine) => machine.sidecar.changed(machine)));
  for (const object of seedObjects()) store.put(object);
  await controllers.settled();
  const settle = async (): Promise<void> => {
    for (const machine of built) await machine.sidecar.settle(machine);
  };
  return {
    cluster: new PlaygroundCluster({ context, store, clock, denied, tokens, version: 'v1.33.1-playground', settle }),
    machines: new Map(built.map((machine) => [machine.name, { machine, ledger: new Ledger(machine) }])),
    stop: () => {
      controllers.stop();
      work.stop();
      end();
      endMirror();
    },
  };
}
