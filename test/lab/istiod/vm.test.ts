// A machine's whole life in the mesh of a real istiod: kubectl, and root on the machine, are the only witnesses.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { Plan, PlanResult } from '../../../src/mesh/plan.ts';
import { runPlan } from '../../../src/mesh/planRunner.ts';
import { runEcho, stopEcho } from '../echo.ts';
import { istiodLab, type Lab } from '../env.ts';
import { reboot } from '../faults.ts';
import { startIstiod, stopIstiod } from '../istiodControl.ts';
import { applyGroup, deleteGroup, echoGroup, entriesIn, exposeIstiod, hideIstiod, type WorkloadEntry } from '../support/istiodGuide.ts';
import { expectAsBefore, snapshotOf, type Snapshot } from '../support/machineSnapshot.ts';
import { groupMesh } from '../support/vmMesh.ts';

const VM = 'vm-1';
const PORT = 3306;
const GROUP = echoGroup('mysql', PORT);

describe('a machine in the mesh of istiod', function () {
  this.timeout(180_000);
  let lab: Lab;
  let mesh: Mesh;
  let asItWas: Snapshot;

  const root = async (script: string, ...args: string[]): Promise<string> =>
    (await lab.onMachine(VM, ['sh', '-ec', script, 'sh', ...args])).stdout.trim();
  const entry = async (): Promise<WorkloadEntry | undefined> =>
    (await entriesIn(lab, 'vm')).find(({ spec }) => spec.address === lab.machine(VM).address);
  const healthy = (one: WorkloadEntry | undefined): boolean =>
    one?.metadata.annotations?.['istio.io/connectedAt'] !== undefined &&
    one.status?.conditions?.find(({ type }) => type === 'Healthy')?.status === 'True';
  const until = async (what: string, done: () => Promise<boolean>, limit = 60_000): Promise<void> => {
    const end = Date.now() + limit;
    while (!(await done())) {
      if (Date.now() > end) assert.fail(`not in time: ${what}`);
      await sleep(500);
    }
  };
  const run = async (plan: Plan): Promise<PlanResult> => {
    const result = await runPlan(plan);
    const cause = result.error?.cause;
    assert.equal(result.error, undefined, `${JSON.stringify(result.states)} ${JSON.stringify(result.error)} ${String(cause)}`);
    return result;
  };
  /** What a second run must not touch, as the file system and systemd know it. */
  const traces = async (): Promise<string> =>
    root(
      `stat -c '%n %i %Y %a %U:%G' /var/lib/istio/envoy/cluster.env /etc/istio/config/mesh /etc/certs/root-cert.pem /etc/hosts /run/secrets/tokens/istio-token
       systemctl show -p ActiveEnterTimestamp -p NRestarts -p UnitFileState istio`,
    );

  before(async () => {
    lab = await istiodLab();
    await exposeIstiod(lab);
    await applyGroup(lab, GROUP);
    await runEcho(lab, VM, PORT);
    mesh = groupMesh(lab, GROUP, [VM]);
  });

  after(async () => {
    await mesh.close();
    await stopEcho(lab, VM, PORT);
    await deleteGroup(lab, GROUP);
    await hideIstiod(lab);
  });

  it('joins, though the start of the sidecar cuts the connection that asked for it', async () => {
    asItWas = await snapshotOf(lab, VM);
    const logins = 'journalctl -q -b -t sshd -o cat | grep -c "^Accepted" || :';
    const earlier = Number(await root(logins));
    const plan = await mesh.planJoin(VM, { package: { kind: 'file', path: lab.sidecarPackage } });
    const inPlan = Number(await root(logins));
    // Whether the rules cut it by themselves depends on whose packet they see first (istiod facts 2.5): in that moment it is cut in any case.
    const cut = `for i in $(seq 1200); do ! pgrep -x pilot-agent >/dev/null || break; sleep 0.1; done; sleep 0.2; pkill -KILL -f '^sshd: [a-z]'`;
    const [result] = await Promise.all([run(plan), lab.onMachine(VM, ['sh', '-ec', cut], { timeout: 180_000 })]);
    assert.equal(result.changed, true);
    assert.ok(inPlan > earlier);
    // One connection serves a whole plan: another login is the reconnect.
    assert.ok(Number(await root(logins)) > inPlan, 'the connection was not cut: nothing was proved');
    assert.equal(healthy(await entry()), true);
    assert.equal(await root('systemctl is-enabled istio'), 'enabled');
    assert.equal(
      await root('stat -c "%a %U" /run/secrets/tokens/istio-token /var/lib/istio/envoy/cluster.env /etc/istio/config/mesh | sort -u'),
      '600 istio-proxy\n644 istio-proxy',
    );
    const page = await root('curl -s -o /dev/null -D - -m 10 http://productpage.bookinfo.svc.cluster.local:9080/');
    assert.match(page, /^HTTP\/1.1 200/);
    assert.match(page, /server: envoy/i);
  });

  it('changes nothing when it joins again, nor when it is pushed', async () => {
    const [files, one] = [await traces(), await entry()];
    for (const make of [() => mesh.planJoin(VM), () => mesh.planPush(VM)]) {
      const plan = await make();
      const { changed, states } = await run(plan);
      assert.equal(changed, false, plan.steps.map(({ id }, index) => `${id}: ${states[index] ?? ''}`).join(', '));
    }
    assert.equal(await traces(), files);
    assert.equal((await entry())?.metadata.resourceVersion, one?.metadata.resourceVersion);
  });

  it('comes back after stop and start', async () => {
    await root('systemctl stop istio');
    await until('gone', async () => (await entry()) === undefined);
    assert.equal((await mesh.vmStatus(VM)).condition, 'failed');
    await run(await mesh.planJoin(VM));
    assert.equal(healthy(await entry()), true);
  });

  it('comes back after a reboot, without its token and without anybody', async () => {
    await reboot(lab, VM);
    await runEcho(lab, VM, PORT);
    await until('healthy', async () => healthy(await entry()));
    assert.equal(await root('test -e /run/secrets/tokens/istio-token && echo there || echo gone'), 'gone');
    assert.equal((await mesh.vmStatus(VM)).condition, 'in-sync');
    assert.equal((await run(await mesh.planPush(VM))).changed, false);
  });

  it('follows its group: a port more is drift, and a push brings it', async () => {
    await lab.kubectl([
      '-n',
      'vm',
      'patch',
      'workloadgroup',
      GROUP.name,
      '--type=merge',
      '-p',
      '{"spec":{"template":{"ports":{"metrics":9104}}}}',
    ]);
    assert.equal((await mesh.vmStatus(VM)).condition, 'needs-push');
    assert.equal((await run(await mesh.planPush(VM))).changed, true);
    assert.match(await root('cat /var/lib/istio/envoy/cluster.env'), /^ISTIO_INBOUND_PORTS='(3306,9104|9104,3306)'$/m);
    assert.equal((await mesh.vmStatus(VM)).condition, 'in-sync');
    assert.equal(healthy(await entry()), true);
  });

  it('takes a newer package and keeps the settings that were changed on it', async () => {
    await root('echo "# mine" >>/var/lib/istio/envoy/sidecar.env');
    const settings = await root('sha256sum /var/lib/istio/envoy/sidecar.env');
    const since = await root('systemctl show -p ActiveEnterTimestamp istio');
    const upgrade = { package: { kind: 'file', path: lab.newerSidecarPackage } } as const;
    assert.equal((await run(await mesh.planUpgrade(VM, upgrade))).changed, true);
    assert.equal(await root("dpkg-query -W -f '${Version} ${Status}' istio-sidecar"), '1.31.1 install ok installed');
    assert.equal(await root('sha256sum /var/lib/istio/envoy/sidecar.env'), settings);
    assert.notEqual(await root('systemctl show -p ActiveEnterTimestamp istio'), since);
    assert.equal(healthy(await entry()), true);
    assert.equal((await run(await mesh.planUpgrade(VM, upgrade))).changed, false);
  });

  it('is renewed after it was down for longer than its certificate', async () => {
    // With the key of another certificate a started agent asks for none, whatever token it has.
    await root('echo SECRET_TTL=20s >>/var/lib/istio/envoy/sidecar.env; openssl genrsa -out /etc/certs/key.pem 2048 2>/dev/null');
    await run(await mesh.planRenew(VM));
    await until(
      'a short certificate',
      async () => Number(await root('openssl x509 -in /etc/certs/cert-chain.pem -noout -checkend 25 >/dev/null && echo 0 || echo 1')) === 1,
    );
    await root('systemctl stop istio');
    // An account of the same name made anew: the old token counts no longer.
    await lab.kubectl(['-n', 'vm', 'delete', 'serviceaccount', GROUP.name]);
    await lab.kubectl(['-n', 'vm', 'create', 'serviceaccount', GROUP.name]);
    await sleep(25_000);
    await root('systemctl start istio');
    await until('refused', async () => (await root('grep -c "code = Unauthenticated" /var/log/istio/istio.log || :')) !== '0');
    assert.equal(await entry(), undefined);
    assert.equal((await mesh.vmStatus(VM)).condition, 'failed');
    assert.equal((await run(await mesh.planRenew(VM))).changed, true);
    assert.equal(healthy(await entry()), true);
    assert.equal((await mesh.vmStatus(VM)).entry?.membership, 'healthy');
  });

  it('says why it does not connect, from its own log, and that the root is another; comes back once istiod does', async () => {
    await root('systemctl stop istio');
    // istiod would take the other root back at once.
    await stopIstiod(lab);
    const roots = (await lab.kubectl(['-n', 'vm', 'get', 'configmap', 'istio-ca-root-cert', '-o', 'jsonpath={.data.root-cert\\.pem}']))
      .stdout;
    const other = await readFile(path.join(lab.pkiDirectory, 'ca.crt'), 'utf8');
    const drifted = async (text: string): Promise<readonly string[]> => {
      const patch = JSON.stringify({ data: { 'root-cert.pem': text } });
      await lab.kubectl(['-n', 'vm', 'patch', 'configmap', 'istio-ca-root-cert', '--type=merge', '-p', patch]);
      return (await mesh.vmStatus(VM)).files.filter(({ drift }) => drift === 'differs').map(({ file }) => file.path);
    };
    const hasty = groupMesh(lab, GROUP, [VM], {}, 3);
    try {
      assert.deepEqual(await drifted(`${roots}${other}`), ['/etc/certs/root-cert.pem']);
      assert.deepEqual(await drifted(roots), []);
      const plan = await hasty.planJoin(VM);
      const { error, states } = await runPlan(plan);
      assert.deepEqual([error?.code, error?.kind], ['istiod.not-connected', 'check']);
      assert.match(error?.userMessage.id ?? '', /^istiod\.agent\.(closed|refused|unreachable)$/);
      assert.equal(states[plan.steps.findIndex(({ id }) => id === 'connected')], 'failed');
    } finally {
      await hasty.close();
      await startIstiod(lab);
    }
    await until('healthy', async () => healthy(await entry()), 90_000);
  });

  it('leaves the machine as it was, but for logs; what others wrote into its hosts file stays', async () => {
    // A line made by hand for another revision has the same shape and address as ours.
    const byHand = await root(`awk '$2 ~ /^istiod/ { print $1, "istiod-canary.istio-system.svc" }' /etc/hosts`);
    await root('printf "10.1.2.3 theirs\\n%s\\n" "$1" >>/etc/hosts', byHand);
    const result = await run(await mesh.planLeave(VM));
    assert.equal(result.changed, true);
    await until('gone', async () => (await entry()) === undefined);
    assert.match(byHand, /^[\d.]+ istiod-canary/);
    assert.equal(await root('tail -n 2 /etc/hosts'), `10.1.2.3 theirs\n${byHand}`);
    await root('sed -i -e "/theirs/d" -e "/canary/d" /etc/hosts');
    await expectAsBefore(lab, VM, asItWas);
    assert.equal((await run(await mesh.planLeave(VM))).changed, false);
  });

  it('joins again after it left, beside the logs of before', async () => {
    assert.match(await root('ls /var/log/istio'), /^istio\.log\.left$/m);
    await run(await mesh.planJoin(VM, { package: { kind: 'file', path: lab.sidecarPackage } }));
    assert.equal(healthy(await entry()), true);
    await run(await mesh.planLeave(VM));
  });
});
