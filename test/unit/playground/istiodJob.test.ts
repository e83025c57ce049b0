import assert from 'node:assert/strict';
import { createMesh } from '../../../src/mesh/createMesh.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { WorkloadGroup } from '../../../src/mesh/model.ts';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import type { Plan, PlanResult } from '../../../src/mesh/plan.ts';
import { runPlan } from '../../../src/mesh/planRunner.ts';
import type { Connections } from '../../../src/mesh/ports.ts';
import { playground, quickClock } from './world.ts';

const CLUSTER = 'playground-istiod';
const VM = 'playground-vm-3';
const OTHER = 'playground-vm-4';
const PACKAGE = { kind: 'url', url: 'https://storage.googleapis.com/istio-release/releases/1.31.0/deb/istio-sidecar.deb' } as const;
const NEWER = { kind: 'file', path: '/tmp/istio-sidecar-1.31.1.deb' } as const;
const GROUP: WorkloadGroup = {
  namespace: 'vm',
  name: 'orders',
  serviceAccount: 'orders',
  labels: { app: 'orders' },
  annotations: {},
  ports: { http: 8080 },
  probe: { handler: { kind: 'httpGet', port: 8080, path: '/healthz' } },
};

function job(): { readonly mesh: Mesh; readonly connections: Connections; readonly clock: ReturnType<typeof quickClock> } {
  const clock = quickClock();
  const { connections, packages, defaultInventory } = playground(clock);
  const { inventory } = parseInventory(defaultInventory);
  const [first] = inventory.vms.filter(({ name }) => name === VM);
  assert.ok(first);
  const all = { ...inventory, vms: [...inventory.vms, { ...first, name: OTHER, host: OTHER, address: '10.150.0.104' }] };
  const edits = { read: async () => undefined, list: async () => [], write: async () => undefined, delete: async () => undefined };
  return { mesh: createMesh({ connections, packages, clock, edits }, () => all), connections, clock };
}

async function run(plan: Plan): Promise<PlanResult> {
  const result = await runPlan(plan);
  assert.equal(result.error, undefined, `${plan.id}: ${JSON.stringify(result.error?.userMessage)} ${String(result.error?.cause)}`);
  return result;
}

describe('the whole job in the playground with istiod', function () {
  this.timeout(60_000);

  it('sets up, makes a group, joins two machines, checks, registers, renews, upgrades and leaves', async () => {
    const { mesh, connections, clock } = job();
    const before = await mesh.controlPlane(CLUSTER);
    assert.deepEqual([before.era, before.release, before.limits], ['istiod', '1.31.0', []]);
    const setUp = await run(await mesh.planSetup(CLUSTER));
    assert.deepEqual([setUp.changed, (await run(await mesh.planSetup(CLUSTER))).changed], [true, false]);

    assert.equal((await run(await mesh.planWorkloadGroup(CLUSTER, GROUP))).changed, true);
    assert.equal((await run(await mesh.planWorkloadGroup(CLUSTER, GROUP))).changed, false);

    for (const vm of [VM, OTHER]) assert.equal((await run(await mesh.planJoin(vm, { package: PACKAGE }))).changed, true);
    assert.equal((await run(await mesh.planJoin(VM, { package: PACKAGE }))).changed, false);
    const [group] = (await mesh.workloadGroups(CLUSTER)) ?? [];
    assert.deepEqual(
      group?.entries.map(({ vm, membership, automatic }) => [vm, membership, automatic]),
      [
        [VM, 'healthy', true],
        [OTHER, 'healthy', true],
      ],
    );
    const status = await mesh.vmStatus(VM);
    assert.deepEqual([status.condition, status.entry?.membership], ['in-sync', 'healthy'], JSON.stringify(status.summary));
    assert.ok(status.certificateNotAfter !== undefined && status.tokenExpiresAt !== undefined);

    const failures = async (): Promise<unknown> =>
      (await mesh.check(VM))
        .filter(({ verdict }) => verdict === 'fail')
        .map(({ id, commandLine, output, reason }) => ({ id, commandLine, output, reason }));
    assert.deepEqual(await failures(), []);

    await run(await mesh.planRegister('orders'));
    assert.deepEqual(await failures(), []);
    const host = await connections.host(OTHER);
    const call = await host.run({ argv: ['curl', '-sS', '-m', '5', 'http://orders.vm.svc.cluster.local:8080/x'] });
    assert.match(
      call.stdout,
      /"x-forwarded-client-cert":"By=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/orders;URI=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/orders"/,
    );

    // Every check looks at something: an application that is down, and a gateway that leads nowhere, show in those that it is about.
    const found = async (verdict: string): Promise<readonly string[]> =>
      (await mesh.check(VM)).filter((one) => one.verdict === verdict).map(({ id }) => id);
    assert.ok((await found('ok')).length >= 12);
    const machine = await connections.host(VM);
    await machine.setUnits({ stop: ['orders'] });
    assert.deepEqual(await found('fail'), ['entry']);
    await machine.setUnits({ start: ['orders'] });
    const cluster = await connections.cluster(CLUSTER);
    const [route] = await cluster.list({ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' });
    assert.ok(route);
    await cluster.delete({ apiVersion: route.apiVersion, kind: route.kind, ...route.metadata });
    assert.deepEqual(await found('fail'), ['istiod-tcp', 'istiod-tls']);
    await run(await mesh.planSetup(CLUSTER));

    // Down for longer than its certificate: a token brings it back.
    await machine.setUnits({ stop: ['istio'] });
    clock.advance(25 * 3_600_000);
    await machine.setUnits({ start: ['istio'] });
    assert.equal((await mesh.vmStatus(VM)).condition, 'failed');
    await run(await mesh.planRenew(VM));
    const renewed = await mesh.vmStatus(VM);
    assert.deepEqual([renewed.condition, renewed.entry?.membership], ['in-sync', 'healthy'], JSON.stringify(renewed.summary));

    assert.equal((await run(await mesh.planUpgrade(VM, { package: NEWER }))).changed, true);
    assert.equal((await machine.probe({ packages: ['istio-sidecar'] })).packages[0]?.version, '1.31.1');
    assert.equal((await mesh.vmStatus(VM)).entry?.membership, 'healthy');

    await run(await mesh.planDeregister('orders'));
    await run(await mesh.planLeave(VM));
    const left = await machine.probe({
      manifest: true,
      packages: ['istio-sidecar'],
      files: [
        { path: '/etc/certs' },
        { path: '/etc/istio' },
        { path: '/var/run/secrets/tokens/istio-token' },
        { path: '/etc/hosts', want: 'text' },
      ],
    });
    assert.equal(left.manifest, undefined);
    assert.equal(left.packages[0]?.version, undefined);
    assert.deepEqual(
      left.files.map(({ exists, text }) => text ?? exists),
      [false, false, false, `127.0.0.1 localhost\n127.0.1.1 ${VM}\n`],
    );
    const after = (await mesh.workloadGroups(CLUSTER)) ?? [];
    assert.deepEqual(
      after.flatMap(({ entries }) => entries.filter(({ membership }) => membership === 'healthy').map(({ vm }) => vm)),
      [OTHER],
    );
  });
});
