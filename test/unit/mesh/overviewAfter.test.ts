// A reading after changes against the whole reading, which knows nothing of changes.
import assert from 'node:assert/strict';
import { createMesh } from '../../../src/mesh/createMesh.ts';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import type { ChangedObject, Mesh, MeshPorts } from '../../../src/mesh/mesh.ts';
import type { KubeObject, ObjectQuery } from '../../../src/mesh/ports.ts';
import { MemoryCluster } from '../support/memoryCluster.ts';

const NETWORKING = 'networking.istio.io/v1';
const namespaces = ['shop', 'vm', 'web'];
const apps = ['a', 'b', 'c'];

/** Counts what is listed of all namespaces, and of how many objects the lists answer. */
class CountedCluster extends MemoryCluster {
  readonly everywhere: string[] = [];
  answered = 0;

  override async list(query: ObjectQuery): Promise<readonly KubeObject[]> {
    if (query.namespace === undefined) this.everywhere.push(query.kind);
    const found = await super.list(query);
    this.answered += found.length;
    return found;
  }
}

const inventory = (release: string) =>
  parseInventory(`version: 1
clusters:
  - { name: prod, context: prod, istio: { release: ${release} } }
vms:
  - { name: db-1, cluster: prod, namespace: vm, workloadGroup: a, address: 10.0.0.1 }
  - { name: db-2, cluster: prod, namespace: shop, workloadGroup: b, address: 10.0.0.2 }
services:
  - { name: s1, cluster: prod, namespace: vm, ports: [{ name: tcp, port: 80 }], vms: [db-1] }
  - { name: s2, cluster: prod, namespace: shop, ports: [{ name: tcp, port: 80 }], vms: [db-2] }
`).inventory;

function meshOver(cluster: CountedCluster, release: string): Mesh {
  const known = inventory(release);
  const ports = {
    connections: { cluster: async () => cluster },
    clock: { now: () => new Date('2026-11-28T12:00:00Z') },
  } as unknown as MeshPorts;
  return createMesh(ports, () => known);
}

/** mulberry32: a seed means the same everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 4294967296) * below);
  };
}

type Random = ReturnType<typeof randomOf>;
const oneOf = <T>(random: Random, all: readonly T[]): T => all[random(all.length)] ?? assert.fail();

/** An object of a kind as somebody may write it: often selected by another, often not. */
function object(kind: string, random: Random): KubeObject {
  const app = oneOf(random, apps);
  const namespace = oneOf(random, namespaces);
  const port = 80 + random(3);
  const of = (name: string, apiVersion: string, more: object): KubeObject => ({ apiVersion, kind, metadata: { name, namespace }, ...more });
  const address = `10.0.0.${1 + random(4)}`;
  switch (kind) {
    case 'Service':
      return of(`s${1 + random(4)}`, 'v1', {
        spec: { clusterIP: `10.96.0.${random(9)}`, ports: [{ name: 'tcp', port }], ...(random(3) === 0 ? {} : { selector: { app } }) },
        ...(random(2) === 0 ? {} : { metadataAnnotated: true }),
      });
    case 'Endpoints':
      return of(`s${1 + random(4)}`, 'v1', { subsets: [{ addresses: [{ ip: address }], ports: [{ port }] }] });
    case 'ServiceEntry':
      return of(`s${1 + random(4)}`, NETWORKING, {
        spec: { ports: [{ name: 'tcp', number: port }], workloadSelector: { labels: { app } } },
      });
    case 'WorkloadGroup':
      return of(oneOf(random, apps), NETWORKING, { spec: { metadata: { labels: { app } }, template: { serviceAccount: 'x' } } });
    default: {
      const entry = of(`e${random(3)}`, NETWORKING, { spec: { address, labels: { app } } });
      const annotations = { 'istio.io/autoRegistrationGroup': oneOf(random, apps), 'istio.io/connectedAt': '2026-11-28T11:50:00Z' };
      return { ...entry, metadata: { ...entry.metadata, annotations } };
    }
  }
}

/** Services that registration marked, as old releases know them. */
function marked(written: KubeObject): KubeObject {
  const annotations = { 'alpha.istio.io/kubernetes-serviceaccounts': 'default' };
  return written.metadataAnnotated === true ? { ...written, metadata: { ...written.metadata, annotations } } : written;
}

const balancers = [
  ['istio-system', 'istio-eastwestgateway'],
  ['istio-system', 'istio-pilot-ilb'],
  ['kube-system', 'dns-ilb'],
] as const;

function change(cluster: CountedCluster, kinds: readonly string[], random: Random): ChangedObject {
  if (random(12) === 0) {
    const [namespace, name] = oneOf(random, balancers);
    const ingress = random(2) === 0 ? [] : [{ ip: `192.0.2.${random(9)}` }];
    cluster.put({ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec: {}, status: { loadBalancer: { ingress } } });
    return { kind: 'Service', namespace, name };
  }
  const { kind, metadata, ...rest } = marked(object(oneOf(random, kinds), random));
  const { namespace = '', name } = metadata;
  if (random(4) === 0) cluster.objects.delete(`${kind} ${namespace}/${name}`);
  else cluster.put({ ...rest, kind, metadata });
  return { kind, namespace, name };
}

const releases = [
  { release: '1.0.3', kinds: ['Service', 'Endpoints'] },
  { release: '1.31.0', kinds: ['Service', 'ServiceEntry', 'WorkloadGroup', 'WorkloadEntry'] },
];

describe('an overview after changes', () => {
  for (const { release, kinds } of releases) {
    it(`is that of a whole reading, whatever changes: ${release}`, async () => {
      let shown = 0;
      for (let seed = 1; seed <= 60; seed += 1) {
        const random = randomOf(seed);
        const cluster = new CountedCluster();
        const mesh = meshOver(cluster, release);
        for (let count = 0; count < 25; count += 1) change(cluster, kinds, random);
        let held = await mesh.overview('prod');
        for (let round = 0; round < 6; round += 1) {
          const changed = Array.from({ length: 1 + random(3) }, () => change(cluster, kinds, random));
          cluster.everywhere.length = 0;
          held = await mesh.overviewAfter('prod', held, changed);
          assert.deepEqual(cluster.everywhere, [], 'everything was listed');
          const whole = await mesh.overview('prod');
          // What is told of the control plane is looked for on its own.
          assert.deepEqual(
            { ...held, controlPlane: whole.controlPlane },
            whole,
            `seed ${seed}, round ${round}: ${JSON.stringify(changed)}`,
          );
          shown += whole.services.length + (whole.workloadGroups ?? []).flatMap(({ entries }) => entries).length;
        }
      }
      assert.ok(shown > 300, `${shown} services and entries were compared`);
    });
  }

  it('tells the newest of why a balancer has no address, whatever changes: nobody watches events', async () => {
    for (const { release } of releases) {
      const cluster = new CountedCluster();
      for (const [namespace, name] of balancers)
        cluster.put({ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec: {} });
      const mesh = meshOver(cluster, release);
      const before = await mesh.overview('prod');
      cluster.put({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'istio-system', name: 'e' },
        involvedObject: { kind: 'Service', name: release === '1.0.3' ? 'istio-pilot-ilb' : 'istio-eastwestgateway' },
        reason: 'SyncLoadBalancerFailed',
        message: 'quota',
      });
      const after = await mesh.overviewAfter('prod', before, [{ kind: 'Service', namespace: 'shop', name: 's1' }]);
      const reasons = after.loadBalancers.flatMap(({ events }) => events.map(({ reason }) => reason));
      assert.deepEqual(reasons, ['SyncLoadBalancerFailed'], release);
    }
  });

  it('asks for one of 5,000 Services where one changed, and for none where a machine connects', async () => {
    const cluster = new CountedCluster();
    const service = (index: number, port: number): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'vm', name: `s${index}` },
      spec: { selector: { app: `s${index}` }, ports: [{ name: 'tcp', port }] },
    });
    for (let index = 0; index < 5000; index += 1) cluster.put(service(index, 80));
    const entry = { address: '10.0.0.1', labels: { app: 's7' } };
    cluster.put({ apiVersion: NETWORKING, kind: 'WorkloadGroup', metadata: { namespace: 'vm', name: 'a' }, spec: {} });
    cluster.put({ apiVersion: NETWORKING, kind: 'WorkloadEntry', metadata: { namespace: 'vm', name: 'e' }, spec: entry });
    const mesh = meshOver(cluster, '1.31.0');
    const before = await mesh.overview('prod');
    const portOf = ({ services }: typeof before) => services.find(({ ref }) => ref.name === 's7')?.ports[0]?.port;
    assert.equal(portOf(before), 80);
    cluster.put(service(7, 81));
    cluster.answered = 0;
    const after = await mesh.overviewAfter('prod', before, [{ kind: 'Service', namespace: 'vm', name: 's7' }]);
    assert.equal(portOf(after), 81);
    assert.equal(cluster.answered, 3, 'the Service, the group and the entry');
    cluster.put({
      apiVersion: NETWORKING,
      kind: 'WorkloadEntry',
      metadata: { namespace: 'vm', name: 'e', annotations: { 'istio.io/connectedAt': '2026-11-28T11:59:00Z' } },
      spec: entry,
    });
    cluster.answered = 0;
    const connected = await mesh.overviewAfter('prod', after, [{ kind: 'WorkloadEntry', namespace: 'vm', name: 'e', stateOnly: true }]);
    assert.equal(connected.workloadGroups?.[0]?.entries[0]?.membership, 'connected');
    assert.equal(cluster.answered, 2, 'the group and the entry');
    assert.deepEqual(connected.services, after.services);
  });
});
