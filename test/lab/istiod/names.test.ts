// DNS capture on machines with a resolver of their own: the real systemd-resolved, the real dnsmasq. curl and getent on the machine are the witnesses.
import assert from 'node:assert/strict';
import process from 'node:process';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { Finding } from '../../../src/mesh/model.ts';
import { previewPlan, runPlan } from '../../../src/mesh/planRunner.ts';
import { down } from '../down.ts';
import type { Lab } from '../env.ts';
import { applyGroup, exposeIstiod } from '../support/istiodGuide.ts';
import { addPackages } from '../support/machinePackages.ts';
import { expectAsBefore, snapshotOf, type Snapshot } from '../support/machineSnapshot.ts';
import { ownLabName, startOwnLab } from '../support/ownLab.ts';
import { vmMesh } from '../support/vmMesh.ts';

const NAME = 'istiodnames';
const GROUP = { name: 'names', namespace: 'vm' };
const PAGE = 'productpage.bookinfo.svc.cluster.local';

describe('names on a machine with a resolver of its own', function () {
  this.timeout(180_000);
  let lab: Lab;

  const root = async (machine: string, script: string): Promise<string> =>
    (await lab.onMachine(machine, ['sh', '-ec', script])).stdout.trim();

  before(async function () {
    this.timeout(1_800_000);
    // A lab of its own: its machines keep the resolvers that they get here.
    lab = await startOwnLab(NAME, 2, 'istiod');
    await exposeIstiod(lab);
    await applyGroup(lab, GROUP);
  });

  after(async () => {
    if (!process.env.MESH_KEEP_LAB) await down(ownLabName(NAME));
  });

  /** The address that programs of the machine get for a name; empty for none. */
  const address = (machine: string, name: string): Promise<string> => root(machine, `getent ahostsv4 ${name} | awk 'NR == 1 { print $1 }'`);
  /** What an ordinary user's curl gets of the page: the line of its status and who answers, or curl's exit code. */
  const page = (machine: string): Promise<string> =>
    root(
      machine,
      `runuser -u nobody -- curl -s -o /dev/null -w '%{http_code} %header{server}' -m 10 http://${PAGE}:9080/ || echo " exit $?"`,
    );

  interface Seen {
    /** Ids of the notes that the plan shows first. */
    readonly notes: readonly string[];
    /** Rules of the findings about names once it is joined. */
    readonly findings: readonly string[];
    /** What the join says went wrong. */
    readonly error: string | undefined;
  }
  const namesIn = (findings: readonly Finding[]): readonly string[] =>
    [...new Set(findings.map(({ rule }) => rule))].filter((rule) => rule.includes('.dns-'));

  async function join(mesh: Mesh, machine: string): Promise<Seen> {
    const plan = await mesh.planJoin(machine, { package: { kind: 'file', path: lab.sidecarPackage } });
    const { steps } = await previewPlan(plan);
    const details = steps.find(({ step }) => step.id === 'preflight')?.preview.details ?? [];
    const notes = details.flatMap((detail) => (detail.kind === 'note' && detail.text.id.includes('istiod.dns') ? [detail.text.id] : []));
    const { error } = await runPlan(plan);
    const findings = (await mesh.vmStatus(machine)).generated?.findings ?? [];
    return { notes, findings: namesIn(findings), error: error?.userMessage.id };
  }

  /** Verdicts and reasons of the checks about names. */
  const checks = async (mesh: Mesh, machine: string): Promise<readonly string[]> =>
    (await mesh.check(machine, {}, { only: ['dns', 'mesh-service'] })).map(({ verdict, reason }) => `${verdict} ${reason.id}`);

  async function leave(mesh: Mesh, machine: string): Promise<void> {
    const { error } = await runPlan(await mesh.planLeave(machine));
    assert.equal(error, undefined, JSON.stringify(error));
    await mesh.close();
  }

  const meshOf = (machine: string, more: object = {}): Mesh =>
    vmMesh(lab, {
      version: 1,
      clusters: [{ name: 'prod', context: lab.contexts.lab }],
      vms: [{ name: machine, cluster: 'prod', namespace: 'vm', serviceAccount: GROUP.name, workloadGroup: GROUP.name, ...more }],
    });
  const FINE = ['ok istiod.check.dns.ok', 'ok istiod.check.service.ok'];
  const ALL_WELL = { findings: [], error: undefined };

  for (const [resolver, machine, prepare] of [
    [
      'systemd-resolved',
      'vm-1',
      async () => {
        await addPackages(lab, 'vm-1', ['systemd-resolved']);
        await root(
          'vm-1',
          `mkdir -p /etc/systemd/resolved.conf.d
           printf '[Resolve]\\nDNS=${lab.addresses.router}\\nDomains=lab.internal\\n' >/etc/systemd/resolved.conf.d/lab.conf
           systemctl disable --now dnsmasq; systemctl restart systemd-resolved`,
        );
        assert.match(
          await root('vm-1', 'readlink /etc/resolv.conf; grep ^nameserver /etc/resolv.conf'),
          /stub-resolv\.conf\nnameserver 127\.0\.0\.53$/,
        );
      },
    ],
    [
      'dnsmasq',
      'vm-2',
      async () => {
        await root(
          'vm-2',
          `printf 'no-resolv\\nserver=${lab.addresses.router}\\n' >/etc/dnsmasq.d/lab; systemctl restart dnsmasq
           printf 'search lab.internal\\nnameserver 127.0.0.1\\n' >/etc/resolv.conf`,
        );
      },
    ],
  ] as const)
    describe(`of ${resolver}`, () => {
      let asItWas: Snapshot;

      before(async () => {
        await prepare();
        assert.equal(await address(machine, 'vm-2.lab.internal'), lab.machine('vm-2').address);
        assert.equal(await address(machine, PAGE), '');
        asItWas = await snapshotOf(lab, machine);
      });

      it('resolve through the agent, which stands before it and asks it for all others', async () => {
        const mesh = meshOf(machine);
        assert.deepEqual(await join(mesh, machine), { ...ALL_WELL, notes: ['istiod.dns.local'] });
        assert.deepEqual(await checks(mesh, machine), FINE);
        assert.match(await address(machine, PAGE), /^10\.96\./);
        assert.equal(await page(machine), '200 envoy');
        assert.equal(await address(machine, 'vm-2.lab.internal'), lab.machine('vm-2').address);
        await leave(mesh, machine);
        await expectAsBefore(lab, machine, asItWas);
        assert.equal(await address(machine, PAGE), '');
        assert.equal(await address(machine, 'vm-2.lab.internal'), lab.machine('vm-2').address);
      });

      it('are left to it where capture is not wanted, and the way to the mesh is checked without them', async () => {
        const mesh = meshOf(machine, { captureDns: false });
        assert.deepEqual(await join(mesh, machine), { ...ALL_WELL, notes: ['istiod.dns.off'] });
        assert.deepEqual(await checks(mesh, machine), ['ok istiod.check.dns.off', 'ok istiod.check.service.ok']);
        assert.equal(await address(machine, PAGE), '');
        assert.equal(await page(machine), '000  exit 6');
        assert.equal(await address(machine, 'vm-2.lab.internal'), lab.machine('vm-2').address);
        await leave(mesh, machine);
        await expectAsBefore(lab, machine, asItWas);
      });
    });

  // After what is above: mocha runs the tests of a group before the groups in it.
  describe('in other circumstances', () => {
    it('are not found past DNS, which the plan, the findings and the check say; without `resolve` they are', async () => {
      const machine = 'vm-1';
      const asItWas = await snapshotOf(lab, machine);
      const before = await root(machine, 'cat /etc/nsswitch.conf');
      await addPackages(lab, machine, ['libnss-resolve']);
      assert.match(await root(machine, 'cat /etc/nsswitch.conf'), /^hosts:\s+files resolve \[!UNAVAIL=return\] dns$/m);
      const mesh = meshOf(machine);
      assert.deepEqual(await join(mesh, machine), {
        notes: ['istiod.dns.local', 'lint.istiod.dns-past'],
        findings: ['istiod.dns-past'],
        error: 'istiod.check.dns.past-dns',
      });
      assert.deepEqual(await checks(mesh, machine), ['fail istiod.check.dns.past-dns', 'fail check.http.name']);
      assert.equal(await page(machine), '000  exit 6');
      await lab.onMachine(machine, ['sh', '-c', 'cat >/etc/nsswitch.conf'], { input: `${before}\n` });
      assert.deepEqual(await checks(mesh, machine), FINE);
      assert.equal(await page(machine), '200 envoy');
      await leave(mesh, machine);
      await root(machine, 'dpkg --purge libnss-resolve');
      await expectAsBefore(lab, machine, asItWas);
    });

    it('come back to a resolver that asks a server of resolv.conf itself, and take seconds: a finding says so', async () => {
      const machine = 'vm-2';
      const before = await root(machine, 'cat /etc/resolv.conf');
      await root(
        machine,
        `rm /etc/dnsmasq.d/lab; printf 'nameserver 127.0.0.1\\nnameserver ${lab.addresses.router}\\n' >/etc/resolv.conf
       echo 'cache-size=0' >/etc/dnsmasq.d/lab; systemctl restart dnsmasq`,
      );
      const mesh = meshOf(machine);
      assert.deepEqual(await join(mesh, machine), { notes: ['istiod.dns.local'], findings: ['istiod.dns-loop'], error: undefined });
      assert.equal(await page(machine), '200 envoy');
      // The agent asks the two in any order: one lookup in two goes the long way.
      let slowest = 0;
      for (let left = 12; slowest < 5 && left > 0; left--)
        slowest = Number(
          await root(machine, 'from=$(date +%s); host -t A vm-1.lab.internal >/dev/null || :; echo $(($(date +%s) - from))'),
        );
      assert.ok(slowest >= 5, 'no lookup went the long way: nothing was proved');
      await lab.onMachine(machine, ['sh', '-c', 'cat >/etc/resolv.conf'], { input: `${before}\n` });
      await root(machine, `printf 'no-resolv\\nserver=${lab.addresses.router}\\n' >/etc/dnsmasq.d/lab; systemctl restart dnsmasq istio`);
      assert.deepEqual(namesIn((await mesh.vmStatus(machine)).generated?.findings ?? []), []);
      await leave(mesh, machine);
    });

    it('are nobody asked for where resolv.conf names no server', async () => {
      const machine = 'vm-2';
      const before = await root(machine, 'cat /etc/resolv.conf');
      await root(machine, 'echo "search lab.internal" >/etc/resolv.conf');
      const mesh = meshOf(machine);
      assert.deepEqual(await join(mesh, machine), {
        notes: ['lint.istiod.dns-no-server'],
        findings: ['istiod.dns-no-server'],
        error: 'istiod.check.dns.no-server',
      });
      await lab.onMachine(machine, ['sh', '-c', 'cat >/etc/resolv.conf'], { input: `${before}\n` });
      await root(machine, 'systemctl restart istio');
      let said: readonly string[] = [];
      for (let left = 20; said.join() !== FINE.join() && left > 0; left--) said = await checks(mesh, machine);
      assert.deepEqual(said, FINE);
      await leave(mesh, machine);
    });
  });
});
