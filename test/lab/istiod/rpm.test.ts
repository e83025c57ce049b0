// A machine of rpms: a Debian of the lab with the real rpm, its own package database hidden, and istio-sidecar as rpmbuild makes it.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { Plan, PlanResult } from '../../../src/mesh/plan.ts';
import { runPlan } from '../../../src/mesh/planRunner.ts';
import { runEcho } from '../echo.ts';
import { down } from '../down.ts';
import type { Lab } from '../env.ts';
import { providingRpm, sidecarRpm } from '../realIstio/sidecarRpm.ts';
import { failure } from '../support/failure.ts';
import { applyGroup, echoGroup, eventually, exposeIstiod, healthOf } from '../support/istiodGuide.ts';
import { addPackages } from '../support/machinePackages.ts';
import { expectAsBefore, snapshotOf, type Snapshot } from '../support/machineSnapshot.ts';
import { ownLabName, startOwnLab, testContext } from '../support/ownLab.ts';
import { vmMesh } from '../support/vmMesh.ts';

const NAME = 'istiodrpm';
const VM = 'vm-1';
const PORT = 3306;
const GROUP = echoGroup('rpms', PORT);
const SETTINGS = '/var/lib/istio/envoy/sidecar.env';

describe('a machine of rpms in the mesh of istiod', function () {
  this.timeout(180_000);
  let lab: Lab;
  let mesh: Mesh;
  let rpms: string;
  let asItWas: Snapshot;
  const of: Record<'now' | 'newer', string> = { now: '', newer: '' };

  const root = async (script: string): Promise<string> => (await lab.onMachine(VM, ['sh', '-ec', script])).stdout.trim();
  const run = async (plan: Plan): Promise<PlanResult> => {
    const result = await runPlan(plan);
    assert.equal(
      result.error,
      undefined,
      `${JSON.stringify(result.states)} ${JSON.stringify(result.error)} ${String(result.error?.cause)}`,
    );
    return result;
  };
  const healthy = (): Promise<void> => eventually('Healthy', async () => (await healthOf(lab, GROUP)) === 'True', 60_000);

  before(async function () {
    this.timeout(1_800_000);
    // A lab of its own: what becomes of its machine is none of another test's.
    lab = await startOwnLab(NAME, 1, 'istiod');
    rpms = await mkdtemp(path.join(os.tmpdir(), 'lab-rpms-'));
    of.now = await sidecarRpm(testContext, lab.sidecarPackage, path.join(rpms, 'now'));
    of.newer = await sidecarRpm(testContext, lab.newerSidecarPackage, path.join(rpms, 'newer'));
    await addPackages(lab, VM, ['rpm']);
    // With dpkg's list in sight this is a Debian that has rpm for other reasons, and the product says so.
    await root('mount -t tmpfs none /var/lib/dpkg');
    await exposeIstiod(lab);
    await applyGroup(lab, GROUP);
    await runEcho(lab, VM, PORT);
    mesh = vmMesh(lab, {
      version: 1,
      clusters: [{ name: 'prod', context: lab.contexts.lab }],
      vms: [{ name: VM, cluster: 'prod', namespace: 'vm', serviceAccount: GROUP.name, workloadGroup: GROUP.name }],
    });
    // Debian's rpm has a database of each user's own.
    await root(
      "mkdir -p /etc/rpm /var/lib/rpm; echo '%_dbpath /var/lib/rpm' >>/etc/rpm/macros; rm -rf /root/.rpmdb; rpm --initdb; rpm -qa",
    );
    asItWas = await snapshotOf(lab, VM);
  });

  after(async () => {
    await mesh.close();
    await rm(rpms, { recursive: true, force: true });
    if (!process.env.MESH_KEEP_LAB) await down(ownLabName(NAME));
  });

  it('is refused a .deb before anything is done', async () => {
    const error = await failure(mesh.planJoin(VM, { package: { kind: 'file', path: lab.sidecarPackage } }));
    assert.equal(error.code, 'package.format');
    await expectAsBefore(lab, VM, asItWas);
  });

  it('hears which packages are missing where rpm says so, and is as it was', async () => {
    const { error } = await runPlan(await mesh.planJoin(VM, { package: { kind: 'file', path: of.now } }));
    assert.deepEqual([error?.code, error?.userMessage.id], ['host.package', 'ssh.package.depends'], JSON.stringify(error));
    for (const name of ['iproute', 'iptables', 'sudo', 'hostname'])
      assert.match(String(error?.userMessage.args.text), new RegExp(`\\b${name}\\b`));
    await expectAsBefore(lab, VM, asItWas);
  });

  it('joins with the rpm', async () => {
    const system = await providingRpm(
      testContext,
      ['/bin/sh', 'iproute', 'iptables', 'sudo', 'hostname', 'curl'],
      path.join(rpms, 'system'),
    );
    await lab.onMachine(VM, ['sh', '-c', 'cat >/run/system.rpm; rpm -i /run/system.rpm; rm /run/system.rpm'], {
      input: await readFile(system),
    });
    asItWas = await snapshotOf(lab, VM);
    assert.equal((await run(await mesh.planJoin(VM, { package: { kind: 'file', path: of.now } }))).changed, true);
    await healthy();
    assert.equal(await root('rpm -q istio-sidecar'), 'istio-sidecar-1.31.0-1.x86_64');
    assert.equal(await root('rpm -V istio-sidecar || :'), '', 'what rpm installed is as rpm installed it');
    assert.equal((await run(await mesh.planJoin(VM, { package: { kind: 'file', path: of.now } }))).changed, false);
    assert.equal((await mesh.vmStatus(VM)).condition, 'in-sync');
    const checks = await mesh.check(VM);
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict !== 'ok').map(({ id, reason }) => `${id}: ${reason.id} ${JSON.stringify(reason.args)}`),
      [],
    );
    assert.equal(checks.find(({ id }) => id === 'version')?.reason.args.version, '1.31.0');
  });

  it('takes a newer rpm, keeps settings that were changed and has the new ones beside them', async () => {
    await root(`echo "# mine" >>${SETTINGS}`);
    const settings = await root(`sha256sum ${SETTINGS}; stat -c "%U:%G %a" ${SETTINGS}`);
    const upgrade = { package: { kind: 'file', path: of.newer } } as const;
    assert.equal((await run(await mesh.planUpgrade(VM, upgrade))).changed, true);
    assert.equal(await root('rpm -q istio-sidecar'), 'istio-sidecar-1.31.1-1.x86_64');
    assert.equal(await root(`sha256sum ${SETTINGS}; stat -c "%U:%G %a" ${SETTINGS}`), settings);
    assert.match(await root(`cat ${SETTINGS}.rpmnew`), /Settings as of Istio 1\.31\.1/);
    await healthy();
    assert.equal((await run(await mesh.planUpgrade(VM, upgrade))).changed, false);
  });

  it('leaves, and nothing of the rpm is left', async () => {
    await run(await mesh.planLeave(VM));
    assert.equal(await root('rpm -q istio-sidecar || :'), 'package istio-sidecar is not installed');
    await expectAsBefore(lab, VM, asItWas);
    assert.equal((await run(await mesh.planLeave(VM))).changed, false);
  });
});
