import assert from 'node:assert/strict';
import { createMesh } from '../../../src/mesh/createMesh.ts';
import type { Inventory, VmEntry } from '../../../src/mesh/model.ts';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import type { Plan, PlanResult } from '../../../src/mesh/plan.ts';
import { runPlan } from '../../../src/mesh/planRunner.ts';
import type { EditStore, SavedEdit } from '../../../src/mesh/ports.ts';
import { playground, quickClock } from './world.ts';

const PACKAGE = { kind: 'file', path: '/tmp/istio-sidecar.deb' } as const;
const VM = 'playground-vm-1';

function memoryEdits(): EditStore {
  const edits = new Map<string, SavedEdit>();
  const key = (vm: string, path: string): string => `${vm}:${path}`;
  return {
    read: async (vm, path) => edits.get(key(vm, path)),
    list: async (vm) => [...edits.keys()].filter((name) => name.startsWith(`${vm}:`)).map((name) => name.slice(vm.length + 1)),
    write: async (vm, path, edit) => void edits.set(key(vm, path), edit),
    delete: async (vm, path) => void edits.delete(key(vm, path)),
  };
}

function job() {
  const clock = quickClock();
  const { connections, packages, defaultInventory } = playground(clock);
  let inventory: Inventory = parseInventory(defaultInventory).inventory;
  const mesh = createMesh({ connections, packages, clock, edits: memoryEdits() }, () => inventory);
  const change = (vm: Partial<VmEntry>): void => {
    inventory = { ...inventory, vms: inventory.vms.map((entry) => ({ ...entry, ...vm })) };
  };
  const run = async (plan: Plan): Promise<PlanResult> => {
    const result = await runPlan(plan);
    assert.equal(result.error, undefined, `${plan.id}: ${JSON.stringify(result.error?.userMessage)}`);
    return result;
  };
  return { mesh, connections, run, change };
}

describe('the whole job in the playground', () => {
  it('sets up, joins, checks, exposes, registers and leaves', async () => {
    const { mesh, connections, run } = job();
    await run(await mesh.planSetup('playground'));
    const balancers = await mesh.loadBalancers('playground');
    assert.deepEqual(
      balancers.map(({ state }) => state),
      ['ready', 'ready', 'ready', 'ready'],
    );

    const joined = await run(await mesh.planJoin(VM, { package: PACKAGE }));
    assert.equal(joined.changed, true);
    const again = await run(await mesh.planJoin(VM, { package: PACKAGE }));
    assert.equal(again.changed, false);
    const status = await mesh.vmStatus(VM);
    assert.equal(status.condition, 'in-sync', JSON.stringify(status.summary));
    assert.deepEqual(
      status.files.filter(({ drift }) => drift !== 'same').map(({ file }) => file.path),
      [],
    );

    const checks = await mesh.check(VM);
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict === 'fail').map(({ id, output, reason }) => ({ id, output, reason })),
      [],
    );

    await run(await mesh.planExposePorts(VM, [3306]));
    const host = await connections.host(VM);
    const { files } = await host.probe({ files: [{ path: '/var/lib/istio/envoy/sidecar.env', want: 'text' }] });
    assert.match(files[0]?.text ?? '', /^ISTIO_INBOUND_PORTS=3306$/m);

    await run(await mesh.planRegister('mysql'));
    const cluster = await connections.cluster('playground');
    const endpoints = await cluster.get({ apiVersion: 'v1', kind: 'Endpoints', namespace: 'onprem', name: 'mysql' });
    assert.deepEqual(
      (endpoints!.subsets as { addresses: { ip: string }[] }[])[0]?.addresses.map(({ ip }) => ip),
      ['10.150.0.101'],
    );

    await run(await mesh.planDeregister('mysql'));
    await run(await mesh.planLeave(VM));
    const left = await host.probe({
      manifest: true,
      packages: ['istio-sidecar'],
      files: [{ path: '/etc/certs' }, { path: '/etc/resolv.conf', want: 'text' }],
    });
    assert.equal(left.manifest, undefined);
    assert.equal(left.packages[0]?.version, undefined);
    assert.deepEqual([left.files[0]?.exists, left.files[1]?.text], [false, 'nameserver 10.150.0.1\n']);
  });
});
