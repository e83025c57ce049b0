import assert from 'node:assert/strict';
import { packExtension } from '../../scripts/package.mjs';
import { echoAnswer, runEcho, stopEcho } from '../lab/echo.ts';
import { istiodLab, type Lab } from '../lab/env.ts';
import { reboot } from '../lab/faults.ts';
import { restartIstiod } from '../lab/istiodControl.ts';
import { entriesOf, eventually, hideIstiod, type WorkloadEntry } from '../lab/support/istiodGuide.ts';
import { applyStrictMtls, plaintext } from '../lab/support/strictMtls.ts';
import { driveSteps, type DrivenStep } from './drive.ts';
import { Form } from './form.ts';
import { labFolder } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const LONG_MS = 120_000;
const HEALTHY = /^vm-1, (?!needs a push).*\bhealthy/i;
/** A certificate of seconds is always near its end. */
const HEALTHY_OR_EXPIRING = /^vm-1, .*(\bhealthy|expires)/;

describe('a machine in a mesh with istiod, by mouse and keyboard', function () {
  this.timeout(420_000);
  let workbench: Workbench | undefined;
  let lab: Lab;
  let restoreMesh: (() => Promise<unknown>) | undefined;

  const get = async <T>(...argv: string[]): Promise<T> => (await lab.kubectlJson(['get', ...argv])) as T;
  const entries = (group: string): Promise<readonly WorkloadEntry[]> => entriesOf(lab, { name: group, namespace: 'vm' });
  const onVm = async (vm: string, ...argv: string[]): Promise<string> => (await lab.ssh(vm, argv)).stdout.trim();
  const writeMesh = (mesh: string): Promise<unknown> =>
    lab.kubectl(['patch', 'configmap', '-n', 'istio-system', 'istio', '--type', 'merge', '-p', JSON.stringify({ data: { mesh } })]);
  const isHealthy = (entry: WorkloadEntry | undefined): boolean =>
    entry?.status?.conditions?.some(({ type, status }) => type === 'Healthy' && status === 'True') === true;

  before(async () => {
    lab = await istiodLab();
    await hideIstiod(lab);
    // What the group's probe asks; a machine without it is unhealthy.
    await runEcho(lab, 'vm-1', 3306);
    workbench = await startWorkbench({ ...labFolder(lab).options, vsix: await packExtension({ reuse: true }) });
  });

  after(async () => {
    await workbench?.close();
    await restoreMesh?.();
    await stopEcho(lab, 'vm-1', 3306);
    await lab.kubectl(['delete', 'service,workloadgroups.networking.istio.io', '-n', 'vm', '--all']);
  });

  const newGroup = async (shown: Workbench, name: string, probe: boolean): Promise<void> => {
    await shown.command('Mesh Expansion: New Workload Group');
    await shown.pick(/Istio 1\.31/);
    const form = new Form(shown);
    await form.open('New Workload Group');
    await form.choose('cluster', lab.contexts.lab);
    await form.type('namespace', 'vm');
    await form.type('name', name);
    await form.type('serviceAccount', name);
    await form.type('labels', `app=${name}`);
    if (probe) {
      await form.type('ports-0-name', 'http-mysql');
      await form.type('ports-0-port', '3306');
      await form.choose('probe', 'httpGet');
      await form.type('probePort', '3306');
      await form.type('probePath', '/healthz');
    }
    await form.ready(LONG_MS);
  };
  const renew = async (shown: Workbench, vm: string): Promise<void> => {
    await shown.contextMenu(new RegExp(`^${vm}\\b`), 'Renew Credentials');
    await shown.broughtBy(vm, shown.planRows());
    await shown.page.keyboard.press('Enter');
    await shown.waitForNotification(/Done: \d+ of \d+/, LONG_MS);
  };
  const joinForm = async (shown: Workbench, vm: string, group: string): Promise<void> => {
    await shown.command('Mesh Expansion: Join VM');
    const form = new Form(shown);
    await form.open('Join VM');
    await form.check('hosts', vm);
    await form.choose('cluster', lab.contexts.lab);
    await form.field('workloadGroup').waitFor();
    await form.choose('workloadGroup', `vm/${group}`);
    await form.type('package', lab.sidecarPackageUrl);
    await form.ready(LONG_MS);
  };
  const leave = async (shown: Workbench, vm: string): Promise<void> => {
    await shown.contextMenu(new RegExp(`^${vm}\\b`), 'Leave Mesh');
    await shown.broughtBy(vm, shown.page.locator('.monaco-dialog-box'));
    await shown.dialogButton('Leave Mesh');
    await shown.treeItem(new RegExp(`^${vm}, not joined`, 'i')).waitFor({ timeout: LONG_MS });
    await shown.clearNotifications();
  };

  const steps: readonly DrivenStep[] = [
    {
      name: 'istiod-01-cluster',
      async run(shown) {
        await shown.openContainer('Mesh Expansion');
        await shown.widenSideBar(110);
        await shown.expand(new RegExp(`^${lab.contexts.lab}\\b`));
        await shown.treeItem(/istio-eastwestgateway/).waitFor({ timeout: LONG_MS });
      },
    },
    {
      name: 'istiod-02-set-up-form',
      async run(shown) {
        await shown.contextMenu(new RegExp(`^${lab.contexts.lab}\\b`), 'Set Up Cluster');
        const form = new Form(shown);
        await form.open('Set Up Cluster');
        await form.ready(LONG_MS);
      },
    },
    {
      name: 'istiod-03-set-up',
      async run(shown) {
        await new Form(shown).run();
        await shown.waitForNotification(/Done: \d+ of \d+/, LONG_MS);
        await shown.clearNotifications();
      },
      async holds() {
        // Facts 3.1: SNI passed through on 15012 and 15017 to istiod.
        const gateway = await get<{ spec: { servers: { port: { number: number }; tls: { mode: string } }[] } }>(
          'gateways.networking.istio.io',
          '-n',
          'istio-system',
          'istiod-gateway',
        );
        assert.deepEqual(gateway.spec.servers.map(({ port, tls }) => [port.number, tls.mode]).sort(), [
          [15012, 'PASSTHROUGH'],
          [15017, 'PASSTHROUGH'],
        ]);
      },
    },
    { name: 'istiod-04-group-form', run: (shown) => newGroup(shown, 'mysql', true) },
    {
      name: 'istiod-05-group',
      async run(shown) {
        await new Form(shown).run();
        await shown.treeItem(/^vm\/mysql/).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
      },
      async holds() {
        const group = await get<{ spec: { template: { ports: object; serviceAccount: string }; probe: { httpGet: object } } }>(
          'workloadgroups.networking.istio.io',
          '-n',
          'vm',
          'mysql',
        );
        assert.deepEqual(group.spec.template.ports, { 'http-mysql': 3306 });
        assert.equal(group.spec.template.serviceAccount, 'mysql');
        assert.deepEqual(group.spec.probe.httpGet, { path: '/healthz', port: 3306 });
        await lab.kubectl(['get', 'serviceaccount', '-n', 'vm', 'mysql']);
      },
    },
    { name: 'istiod-06-join-form', run: (shown) => joinForm(shown, 'vm-1', 'mysql') },
    {
      name: 'istiod-07-joined',
      async run(shown) {
        await new Form(shown).run();
        await shown.treeItem(HEALTHY).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
        await shown.expand(/^vm-1\b/);
      },
      async holds() {
        const [entry] = await entries('mysql');
        assert.equal(entry?.spec.address, lab.machine('vm-1').address);
        assert.ok(entry.metadata.annotations?.['istio.io/connectedAt']);
        assert.ok(isHealthy(entry));
        assert.equal(await onVm('vm-1', 'systemctl', 'is-enabled', 'istio'), 'enabled');
        const answer = await onVm(
          'vm-1',
          'curl',
          '-sS',
          '-m',
          '10',
          '-D',
          '-',
          '-o',
          '/dev/null',
          'http://productpage.bookinfo.svc.cluster.local:9080/',
        );
        assert.match(answer, /^HTTP\/1.1 200/);
        assert.match(answer, /^server: envoy/im);
      },
    },
    {
      name: 'istiod-08-checked',
      async run(shown) {
        await shown.inlineAction(/^vm-1\b/, 'Check');
        await shown.broughtBy('vm-1', shown.page.locator('.terminal-wrapper.active'));
        await shown.waitForTerminal(/\b([1-9]\d*) of \1 passed/, LONG_MS);
      },
    },
    {
      name: 'istiod-09-second-machine',
      async run(shown) {
        await newGroup(shown, 'client', false);
        await new Form(shown).run();
        await shown.treeItem(/^vm\/client/).waitFor({ timeout: LONG_MS });
        await joinForm(shown, 'vm-2', 'client');
        await new Form(shown).run();
        await shown.treeItem(/^vm-2, .*\bconnected/).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
      },
    },
    {
      name: 'istiod-10-registered',
      async run(shown) {
        await shown.command('Mesh Expansion: Register Service');
        const form = new Form(shown);
        await form.open('Register Service');
        await form.type('name', 'mysql');
        await form.type('namespace', 'vm');
        await form.type('ports-0-name', 'http-mysql');
        await form.type('ports-0-port', '3306');
        await form.check('vms', 'vm-1');
        await form.ready(LONG_MS);
        await form.run();
        await shown.treeItem(/vm\/mysql.*:3306/).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
      },
      async holds() {
        // Both identities arrive: the caller's and the called one's.
        const identities = async (): Promise<string> => {
          const answer = await lab.ssh('vm-2', ['curl', '-sS', '-m', '5', 'http://mysql.vm.svc.cluster.local:3306/'], { tolerant: true });
          return answer.code === 0 && answer.stdout.startsWith('{')
            ? (echoAnswer(answer.stdout).headers['X-Forwarded-Client-Cert']?.[0] ?? '')
            : '';
        };
        let shown = '';
        await eventually('vm-2 reaches mysql', async () => (shown = await identities()) !== '');
        assert.match(shown, /By=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/mysql;/);
        assert.match(shown, /URI=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/client$/);
        assert.equal(echoAnswer((await plaintext(lab, 'vm-1', 3306)).stdout).hostname, 'vm-1');
        await applyStrictMtls(lab);
        await eventually('plaintext being refused', async () => (await plaintext(lab, 'vm-1', 3306)).refused);
        await eventually('the same identities', async () => (await identities()) === shown);
      },
    },
    {
      name: 'istiod-11-disconnected',
      async run(shown) {
        await onVm('vm-1', 'sudo', 'systemctl', 'stop', 'istio');
        // Nothing is read again by hand: the watch says it.
        await shown.treeItem(/^vm-1, .*(disconnected|never connected)/).waitFor({ timeout: 30_000 });
      },
    },
    {
      name: 'istiod-12-back',
      async run(shown) {
        const startedMs = Math.floor(Date.now() / 1000) * 1000;
        await onVm('vm-1', 'sudo', 'systemctl', 'start', '--no-block', 'istio');
        // The entry still says what was so before; only a transition is sent (facts 3.4), so this start's own word must be there first.
        await eventually(
          'a probe of this start says yes',
          async () => {
            const healthy = (await entries('mysql'))[0]?.status?.conditions?.find(({ type }) => type === 'Healthy');
            return healthy?.status === 'True' && Date.parse(healthy.lastProbeTime ?? '') >= startedMs;
          },
          LONG_MS,
        );
        await shown.treeItem(HEALTHY).waitFor({ timeout: LONG_MS });
      },
    },
    {
      name: 'istiod-13-unhealthy',
      async run(shown) {
        await runEcho(lab, 'vm-1', 3306, { health: 503 });
        await shown.treeItem(/^vm-1, .*unhealthy.*503/).waitFor({ timeout: 60_000 });
      },
    },
    {
      name: 'istiod-14-group-changed',
      async run(shown) {
        await runEcho(lab, 'vm-1', 3306);
        await shown.treeItem(HEALTHY).waitFor({ timeout: 60_000 });
        const patch = JSON.stringify({ spec: { template: { labels: { version: 'v2' } } } });
        await lab.kubectl(['patch', 'workloadgroups.networking.istio.io', '-n', 'vm', 'mysql', '--type', 'merge', '-p', patch]);
        await shown.treeItem(/^vm-1, needs a push/i).waitFor({ timeout: 60_000 });
      },
    },
    {
      name: 'istiod-15-pushed',
      async run(shown) {
        await shown.inlineAction(/^vm-1\b/, 'Push');
        await shown.broughtBy('vm-1', shown.planRows());
        await shown.page.keyboard.press('Enter');
        await shown.waitForNotification(/Done: \d+ of \d+/, LONG_MS);
        await shown.clearNotifications();
        await shown.treeItem(HEALTHY).waitFor({ timeout: LONG_MS });
      },
      async holds() {
        // Facts 1.5: the canonical revision comes from the label `version`.
        assert.match(await onVm('vm-1', 'sudo', 'cat', '/var/lib/istio/envoy/cluster.env'), /^CANONICAL_REVISION='v2'$/m);
      },
    },
    {
      name: 'istiod-15b-mesh-changed',
      async run(shown) {
        const { data } = await get<{ data: { mesh: string } }>('configmap', '-n', 'istio-system', 'istio');
        const changed = data.mesh.replace(/^defaultConfig:\n/m, '$&  proxyMetadata:\n    SEEN_LIVE: "yes"\n');
        assert.notEqual(changed, data.mesh);
        restoreMesh = () => writeMesh(data.mesh);
        await writeMesh(changed);
        // Nothing is read again by hand: what files are made from is watched.
        await shown.treeItem(/^vm-1, needs a push/i).waitFor({ timeout: 30_000 });
      },
    },
    {
      name: 'istiod-15c-mesh-restored',
      async run(shown) {
        await restoreMesh?.();
        await shown.treeItem(HEALTHY).waitFor({ timeout: 30_000 });
      },
    },
    {
      name: 'istiod-16-istiod-restarted',
      async run(shown) {
        const connectedAt = async (): Promise<string> => (await entries('mysql'))[0]?.metadata.annotations?.['istio.io/connectedAt'] ?? '';
        const before = await connectedAt();
        await restartIstiod(lab);
        await eventually('vm-1 connects again', async () => ![before, ''].includes(await connectedAt()), 90_000);
        await shown.treeItem(HEALTHY).waitFor({ timeout: 60_000 });
      },
    },
    {
      name: 'istiod-17-rebooted',
      async run(shown) {
        await reboot(lab, 'vm-1');
        await shown.treeItem(/^vm-1, .*(disconnected|never connected|unhealthy)/).waitFor({ timeout: 60_000 });
        await runEcho(lab, 'vm-1', 3306);
        await shown.treeItem(HEALTHY).waitFor({ timeout: LONG_MS });
      },
      async holds() {
        // The token lay on tmpfs; the certificate was enough.
        assert.equal((await lab.ssh('vm-1', ['sudo', 'test', '-e', '/var/run/secrets/tokens/istio-token'], { tolerant: true })).code, 1);
      },
    },
    {
      name: 'istiod-18-expired',
      async run(shown) {
        // A machine that was cut off for longer than its certificate: a short one, and an account whose old tokens are worth nothing.
        const root = (line: string) => lab.onMachine('vm-1', ['sh', '-ec', line]);
        await root(
          'systemctl stop istio; echo SECRET_TTL=20s >>/var/lib/istio/envoy/sidecar.env; rm /etc/certs/cert-chain.pem /etc/certs/key.pem',
        );
        await renew(shown, 'vm-1');
        await shown.clearNotifications();
        const gateway = await get<{ status: { loadBalancer: { ingress: { ip: string }[] } } }>(
          'service',
          '-n',
          'istio-system',
          'istio-eastwestgateway',
        );
        const route = `blackhole ${gateway.status.loadBalancer.ingress[0]?.ip ?? ''}/32`;
        await root(`ip route add ${route}; rm -f /var/run/secrets/tokens/istio-token`);
        try {
          // Nobody touches anything: the machine is asked again when its certificate ends.
          await shown.treeItem(/^vm-1, .*(expired|over)/i).waitFor({ timeout: 60_000 });
        } finally {
          await root(`ip route del ${route}; systemctl restart istio`);
        }
        await shown.treeItem(/^vm-1, .*expired.*(disconnected|never connected)/i).waitFor({ timeout: 60_000 });
      },
    },
    {
      name: 'istiod-19-renewed',
      async run(shown) {
        await renew(shown, 'vm-1');
        await shown.treeItem(HEALTHY_OR_EXPIRING).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
      },
      async holds() {
        assert.ok(isHealthy((await entries('mysql'))[0]));
      },
    },
    {
      name: 'istiod-20-left',
      async run(shown) {
        await leave(shown, 'vm-1');
        await leave(shown, 'vm-2');
      },
      async holds() {
        for (const vm of ['vm-1', 'vm-2']) {
          assert.equal((await lab.ssh(vm, ['getent', 'passwd', 'istio-proxy'], { tolerant: true })).stdout, '');
          assert.doesNotMatch(await onVm(vm, 'cat', '/etc/hosts'), /istiod/);
          assert.match((await lab.ssh(vm, ['dpkg-query', '-W', 'istio-sidecar'], { tolerant: true })).stderr, /no packages found/);
          assert.doesNotMatch(await onVm(vm, 'sudo', 'iptables-legacy-save', '-t', 'nat'), /ISTIO/);
        }
      },
    },
  ];
  driveSteps(steps, () => workbench);
});
