import assert from 'node:assert/strict';
import type { CheckRun, ClusterFacts, Held, VmFacts } from '../../../src/editor/facts.ts';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { ClusterEntry, Inventory, LoadBalancer, VmCondition, VmEntry, WorkloadEntry } from '../../../src/mesh/model.ts';
import { childrenOf, clusterNodes, type Known } from '../../../src/views/buildNodes.ts';
import type { Node } from '../../../src/views/nodes.ts';

const cluster: ClusterEntry = { name: 'prod', context: 'prod', istio: { namespace: 'istio-system' }, clusterDomain: 'cluster.local' };
const vm = (name: string): VmEntry => ({ name, host: name, cluster: 'prod', namespace: 'vm', serviceAccount: 'default' });
const balancer = (name: string, state: LoadBalancer['state']): LoadBalancer => ({
  ref: { apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name },
  role: name,
  state,
  ports: [],
  events: [],
});
const facts: ClusterFacts = {
  controlPlane: { era: 'citadel', release: '1.0.3', source: { value: '1.0.3', from: { kind: 'inventory', field: 'istio.release' } } },
  loadBalancers: [balancer('pilot', 'ready'), balancer('mixer', 'pending')],
  services: [
    {
      ref: { apiVersion: 'v1', kind: 'Service', namespace: 'onprem', name: 'mysql' },
      ports: [],
      endpoints: [{ address: '10.0.0.5', ports: [3306] }],
    },
  ],
  unmanaged: [
    { address: '10.0.0.5', services: ['onprem/mysql'] },
    { address: '10.0.0.9', services: ['onprem/mysql'] },
  ],
};
const status = (name: string, condition: VmCondition, address?: string): Held<VmFacts> => ({
  loading: false,
  at: 1,
  value: {
    vm: name,
    condition,
    summary: message('status.in-sync'),
    files: [],
    units: [],
    edited: [],
    state: {
      files: [],
      units: [],
      packages: [],
      programs: {},
      ...(address === undefined ? {} : { facts: { addresses: [{ address, interface: 'eth0' }] } as unknown as VmFacts['state']['facts'] }),
    },
  },
});
const failure = (code: string, kind: 'failed' | 'person' = 'failed') =>
  new MeshError({ code, kind, userMessage: message('mesh.unexpected', { text: code }) });

function known(parts: {
  vms?: readonly VmEntry[];
  services?: Inventory['services'];
  cluster?: Held<ClusterFacts>;
  status?: Readonly<Record<string, Held<VmFacts>>>;
  checks?: CheckRun;
}): Known {
  return {
    inventory: { version: 1, clusters: [cluster], vms: parts.vms ?? [], services: parts.services ?? [] },
    playground: false,
    cluster: () => parts.cluster ?? { loading: false },
    vm: (name) => parts.status?.[name] ?? { loading: false },
    checks: () => parts.checks,
    now: () => new Date('2026-01-02T12:00:00Z'),
  };
}
const root = (what: Known): Node => clusterNodes(what)[0] ?? assert.fail('no cluster');
const group = (what: Known, name: string): Node =>
  childrenOf(root(what), what).find((node) => node.kind === 'group' && node.group === name) ?? assert.fail(`no group ${name}`);
const ids = (nodes: readonly Node[]) => nodes.map((node) => node.id);

describe('the nodes of the tree', () => {
  it('show the groups at once while a cluster is read for the first time', () => {
    const what = known({ cluster: { loading: true } });
    assert.deepEqual(ids(childrenOf(root(what), what)), ['group:loadBalancers:prod', 'group:vms:prod', 'group:services:prod']);
    assert.deepEqual(
      childrenOf(group(what, 'services'), what).map((node) => node.kind === 'hint' && node.hint),
      ['reading'],
    );
  });

  it('keep what was known beside an error, and the VMs where nothing is known', () => {
    const error = failure('kube.unreachable');
    const later = known({ vms: [vm('db-1')], cluster: { loading: false, at: 1, value: facts, error } });
    assert.deepEqual(ids(childrenOf(root(later), later)), [
      'error:cluster:prod',
      'group:loadBalancers:prod',
      'group:vms:prod',
      'group:services:prod',
    ]);
    const first = known({ vms: [vm('db-1')], cluster: { loading: false, at: 1, error } });
    assert.deepEqual(ids(childrenOf(root(first), first)), ['error:cluster:prod', 'group:vms:prod']);
  });

  it('count ready balancers, joined VMs and those that need something', () => {
    const what = known({
      vms: ['a', 'b', 'c', 'd'].map(vm),
      cluster: { loading: false, at: 1, value: facts },
      status: {
        a: status('a', 'in-sync'),
        b: status('b', 'needs-push'),
        c: status('c', 'not-joined'),
        d: { loading: false, at: 1, error: failure('host.key-unknown', 'person') },
      },
    });
    const counts = (name: string) => {
      const node = group(what, name);
      return node.kind === 'group' ? [node.good, node.count, node.attention] : [];
    };
    assert.deepEqual(counts('loadBalancers'), [1, 2, 0]);
    assert.deepEqual(counts('vms'), [2, 4, 2]);
  });

  it('count a balancer with a host name as ready where that serves as well as an address', () => {
    const ready = (more: Partial<LoadBalancer>) => {
      const loadBalancers = [{ ...balancer('gateway', 'hostname'), ...more }];
      const what = known({ cluster: { loading: false, at: 1, value: { ...facts, loadBalancers } } });
      const node = group(what, 'loadBalancers');
      return node.kind === 'group' ? node.good : undefined;
    };
    assert.deepEqual([ready({}), ready({ byHostname: true })], [0, 1]);
  });

  it('put the VMs in order of urgency, then of name', () => {
    const what = known({
      vms: ['a', 'b', 'c', 'd', 'e', 'f'].map(vm),
      cluster: { loading: false, at: 1, value: { ...facts, unmanaged: [] } },
      status: {
        a: status('a', 'not-joined'),
        b: status('b', 'in-sync'),
        c: status('c', 'failed'),
        d: { loading: false, at: 1, error: failure('host.unreachable') },
        e: { loading: false, at: 1, error: failure('citadel.secret-missing') },
        f: status('f', 'needs-push'),
      },
    });
    assert.deepEqual(
      childrenOf(group(what, 'vms'), what).map((node) => (node.kind === 'vm' ? `${node.vm.name} ${node.state}` : '')),
      ['c failed', 'd unreachable', 'f needs-push', 'e blocked', 'b in-sync', 'a not-joined'],
    );
  });

  it('know a registered address as a VM once the VM was asked for its own', () => {
    const what = known({
      vms: [vm('db-1')],
      cluster: { loading: false, at: 1, value: facts },
      status: { 'db-1': status('db-1', 'in-sync', '10.0.0.5') },
    });
    assert.deepEqual(ids(childrenOf(group(what, 'vms'), what)), ['vm:db-1', 'unmanaged:prod:10.0.0.9']);
    const [service] = childrenOf(group(what, 'services'), what);
    assert.ok(service);
    assert.deepEqual(
      childrenOf(service, what).map((node) => node.kind === 'endpoint' && node.vm),
      ['db-1'],
    );
  });

  it('show a service of the inventory that is not registered, and one of both only once', () => {
    const entry = { cluster: 'prod', ports: [], vms: [], serviceAccount: 'default', labels: {}, annotations: {} };
    const what = known({
      cluster: { loading: false, at: 1, value: facts },
      services: [
        { ...entry, name: 'mysql', namespace: 'onprem' },
        { ...entry, name: 'cache', namespace: 'onprem' },
      ],
    });
    assert.deepEqual(
      childrenOf(group(what, 'services'), what).map(
        (node) => node.kind === 'service' && [node.name, node.entry !== undefined, node.registered !== undefined],
      ),
      [
        ['cache', true, false],
        ['mysql', true, true],
      ],
    );
  });

  it('say what to do where there is nothing', () => {
    const what = known({
      cluster: { loading: false, at: 1, value: { ...facts, loadBalancers: [balancer('pilot', 'missing')], services: [], unmanaged: [] } },
    });
    for (const [name, hint] of [
      ['loadBalancers', 'noBalancers'],
      ['vms', 'noVms'],
      ['services', 'noServices'],
    ] as const) {
      const [node] = childrenOf(group(what, name), what);
      assert.equal(node?.kind === 'hint' && node.hint, hint);
    }
  });

  it('have ids that stay the same from one read to the next, and none twice', () => {
    const build = () => {
      const what = known({
        vms: [vm('db-1')],
        cluster: { loading: false, at: Math.random(), value: facts },
        status: { 'db-1': status('db-1', 'in-sync') },
      });
      const all: string[] = [];
      const walk = (node: Node): void => {
        all.push(node.id);
        childrenOf(node, what).forEach(walk);
      };
      walk(root(what));
      return all;
    };
    const first = build();
    assert.deepEqual(build(), first);
    assert.equal(new Set(first).size, first.length);
  });

  const entry = (name: string, membership: WorkloadEntry['membership'], more: Partial<WorkloadEntry> = {}): WorkloadEntry => ({
    ref: { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry', namespace: 'vm', name },
    membership,
    automatic: true,
    ...more,
  });
  const grouped = (...entries: readonly WorkloadEntry[]): Held<ClusterFacts> => ({
    loading: false,
    at: 1,
    value: {
      ...facts,
      unmanaged: [],
      workloadGroups: [
        {
          ref: { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadGroup', namespace: 'vm', name: 'mysql' },
          group: { namespace: 'vm', name: 'mysql', serviceAccount: 'default', labels: {}, annotations: {}, ports: {} },
          entries,
        },
      ],
    },
  });
  const member = (name: string): VmEntry => ({ ...vm(name), workloadGroup: 'mysql' });
  const machines = (what: Known) =>
    childrenOf(group(what, 'workloadGroups'), what)
      .flatMap((node) => childrenOf(node, what))
      .map((node) => (node.kind === 'vm' ? `${node.vm.name} ${node.state}` : node.id));

  it('put machines below their workload group as the cluster sees them, before any of them was asked', () => {
    const what = known({
      vms: ['a', 'b', 'c', 'd', 'e'].map(member),
      cluster: grouped(
        entry('a', 'healthy', { vm: 'a' }),
        entry('b', 'disconnected', { vm: 'b' }),
        entry('c', 'unhealthy', { vm: 'c' }),
        entry('d', 'connected', { vm: 'd' }),
      ),
    });
    assert.deepEqual(machines(what), ['b failed', 'c failed', 'a connected', 'd connected', 'e unknown']);
    const [node] = childrenOf(group(what, 'workloadGroups'), what);
    assert.deepEqual(node?.kind === 'workloadGroup' && [node.connected, node.count, node.attention], [3, 5, 2]);
    assert.ok(!ids(childrenOf(root(what), what)).includes('group:vms:prod'), 'no VM is without a group');
  });

  it('let a claim go stale at its time, without any event', () => {
    const claim = (staleAt: string) => known({ vms: [member('a')], cluster: grouped(entry('a', 'healthy', { vm: 'a', staleAt })) });
    assert.deepEqual(machines(claim('2026-01-02T12:00:01Z')), ['a connected']);
    assert.deepEqual(machines(claim('2026-01-02T12:00:00Z')), ['a failed']);
  });

  it('join how the cluster sees a machine now to what the machine said before', () => {
    const at = (membership: WorkloadEntry['membership'], condition: VmCondition) =>
      machines(known({ vms: [member('a')], cluster: grouped(entry('a', membership, { vm: 'a' })), status: { a: status('a', condition) } }));
    assert.deepEqual(at('healthy', 'needs-push'), ['a needs-push']);
    assert.deepEqual(at('disconnected', 'needs-push'), ['a failed']);
    assert.deepEqual(at('healthy', 'in-sync'), ['a in-sync']);
    assert.deepEqual(at('never', 'in-sync'), ['a pending']);
    assert.deepEqual(at('healthy', 'not-joined'), ['a not-joined']);
  });

  it('call an entry unmanaged only where it can be of no VM of the inventory', () => {
    const lone = entry('mysql-10.0.0.9', 'connected', { address: '10.0.0.9' });
    assert.deepEqual(machines(known({ cluster: grouped(lone) })), ['unmanaged:prod:vm/mysql-10.0.0.9']);
    assert.deepEqual(
      machines(known({ vms: [member('a')], cluster: grouped(lone) })),
      ['a unknown'],
      'it may be of the VM that was not asked',
    );
    const asked = (address: string) =>
      machines(known({ vms: [member('a')], cluster: grouped(lone), status: { a: status('a', 'in-sync', address) } }));
    assert.deepEqual(asked('10.0.0.9'), ['a in-sync']);
    assert.deepEqual(asked('10.0.0.5'), ['a pending', 'unmanaged:prod:vm/mysql-10.0.0.9']);
  });

  it('show what is not served and what is missing above everything else of a cluster', () => {
    const held = grouped();
    assert.ok(held.value);
    const what = known({
      cluster: {
        ...held,
        value: {
          ...held.value,
          controlPlane: {
            ...facts.controlPlane,
            details: [
              { id: 'gateway', label: message('status.in-sync'), value: '-', attention: true },
              { id: 'revision', label: message('status.in-sync'), value: 'default' },
            ],
            limits: [
              { id: 'networks', text: message('status.in-sync'), blocking: false },
              { id: 'remote', text: message('status.in-sync'), blocking: true },
            ],
          },
        },
      },
    });
    assert.deepEqual(
      childrenOf(root(what), what).flatMap((node) => (node.kind === 'notice' ? [[node.id, node.blocking, node.fixable]] : [])),
      [
        ['notice:prod:limit:remote:0', true, false],
        ['notice:prod:limit:networks:1', false, false],
        ['notice:prod:detail:gateway:0', false, true],
      ],
    );
  });
});
