// The whole job of the istiod era by the command line, on a lab with a real istiod and real machines. kubectl, and a root shell on the machine, are the witnesses.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { addName } from '../dns.ts';
import { echoAnswer, runEcho, stopEcho } from '../echo.ts';
import { startIstiod } from '../istiodControl.ts';
import { CliBench, type CliRun } from '../support/cli.ts';
import { entriesIn, eventually, type WorkloadEntry } from '../support/istiodGuide.ts';
import { whileUnserved } from '../support/istiodLimits.ts';
import { applyStrictMtls, plaintext } from '../support/strictMtls.ts';

const inventory = `version: 1
clusters:
  - { name: prod, context: lab }
vms:
  - { name: db, host: vm-1, cluster: prod, namespace: vm, serviceAccount: mysql, workloadGroup: mysql }
  - { name: web, host: vm-2, cluster: prod, namespace: vm, serviceAccount: web, workloadGroup: web }
services:
  - { name: mysql, cluster: prod, namespace: vm, ports: [{ name: http-mysql, port: 3306 }], vms: [db], labels: { app: mysql } }
`;
const groups = `apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: { name: mysql, namespace: vm }
spec:
  metadata: { labels: { app: mysql } }
  template: { serviceAccount: mysql, ports: { http-mysql: 3306 } }
  probe: { periodSeconds: 2, httpGet: { port: 3306, path: /healthz } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: { name: web, namespace: vm }
spec:
  metadata: { labels: { app: web } }
  template: { serviceAccount: web }
`;
const MYSQL = ['curl', '-sS', '-m', '5', 'http://mysql.vm.svc.cluster.local:3306/'];
const TOKEN = 'var/run/secrets/tokens/istio-token';

interface StatusTarget {
  readonly vm?: string;
  readonly condition: string;
  readonly code: number;
  readonly certificateNotAfter?: string;
  readonly tokenExpiresAt?: string;
  readonly membership?: { readonly membership: string; readonly entry: string; readonly automatic: boolean };
}

describe('the whole job of the istiod era by the command line', function () {
  this.timeout(240_000);
  let bench: CliBench;
  let pristine: Record<string, string> = {};

  before(async () => {
    bench = await CliBench.start(inventory, 'istiod');
    await bench.write('groups.yaml', groups);
    // sudo leaves a mark in the home of whoever uses it for the first time.
    for (const machine of ['vm-1', 'vm-2']) await bench.lab.ssh(machine, ['sudo', 'true']);
    await runEcho(bench.lab, 'vm-1', 3306);
    pristine = { 'vm-1': await bench.machineState('vm-1'), 'vm-2': await bench.machineState('vm-2') };
  });
  after(async () => bench.stop());

  const fine = (run: CliRun, changed: boolean): void => {
    assert.equal(run.code, 0, run.err);
    assert.deepEqual(
      run.results().map((result) => [result.ok, result.changed, result.code]),
      run.results().map(() => [true, changed, 0]),
      run.out,
    );
  };
  /** Without what istiod's parts elect their leaders by, which is written all the time. */
  const clusterState = async (): Promise<string> => (await bench.clusterState()).replace(/^ConfigMap istio-system\/.*\n/gm, '');
  const entries = (): Promise<readonly WorkloadEntry[]> => entriesIn(bench.lab, 'vm');
  const statusOf = async (code: number, ...names: string[]): Promise<readonly StatusTarget[]> => {
    const run = await bench.cli(['status', '--vm', ...names, '--json']);
    assert.equal(run.code, code, `${run.out}${run.err}`);
    return run.results() as unknown as readonly StatusTarget[];
  };

  it('shows the control plane, and ends with 3 while istiod is not exposed', async () => {
    const run = await bench.cli(['cluster', 'status', '--cluster', 'prod', '--json']);
    assert.equal(run.code, 3, run.err);
    const [target] = run.results() as unknown as {
      controlPlane: { era: string; release: string; details: { id: string; value: string; attention?: boolean }[] };
    }[];
    assert.deepEqual([target?.controlPlane.era, target?.controlPlane.release], ['istiod', '1.31.0']);
    const details = new Map(target?.controlPlane.details.map(({ id, value, attention }) => [id, [value, attention === true]]));
    assert.deepEqual(details.get('trust-domain'), ['cluster.local', false]);
    assert.deepEqual(details.get('cluster-id'), ['Kubernetes', false]);
    assert.equal(details.get('exposed')?.[1], true);
    const text = await bench.cli(['cluster', 'status', '--cluster', 'prod']);
    assert.match(text.out, /^prod: Istio 1\.31\.0\n/);
    assert.match(text.out, /cluster\.local/);
  });

  it('exposes istiod once, and shows it first without doing it', async () => {
    const before = await clusterState();
    const shown = await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--dry-run']);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.err, /\+ Gateway istio-system\/\S+/);
    assert.match(shown.err, /\+ VirtualService istio-system\/\S+/);
    assert.equal(await clusterState(), before);
    fine(await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--yes', '--json']), true);
    const after = await clusterState();
    fine(await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--yes', '--json']), false);
    assert.equal(await clusterState(), after);
    fine(await bench.cli(['cluster', 'status', '--cluster', 'prod', '--json']), false);
  });

  it('makes workload groups and their accounts, once', async () => {
    const wrong = await bench.cli(['group', 'apply', '--cluster', 'prod', '-f', 'mesh-expansion.yaml', '--yes', '--json']);
    assert.deepEqual([wrong.code, wrong.errorCode()], [2, 'group.invalid']);
    const run = await bench.cli(['group', 'apply', '--cluster', 'prod', '-f', 'groups.yaml', '--yes', '--json']);
    fine(run, true);
    assert.deepEqual(
      run.results().map(({ group }) => group),
      ['vm/mysql', 'vm/web'],
    );
    const live = (await bench.lab.kubectlJson(['-n', 'vm', 'get', 'workloadgroup', 'mysql'])) as { spec: Record<string, unknown> };
    assert.deepEqual(live.spec, {
      metadata: { labels: { app: 'mysql' } },
      template: { serviceAccount: 'mysql', ports: { 'http-mysql': 3306 } },
      probe: { periodSeconds: 2, httpGet: { port: 3306, path: '/healthz' } },
    });
    await bench.lab.kubectl(['-n', 'vm', 'get', 'serviceaccount', 'mysql', 'web']);
    fine(await bench.cli(['group', 'apply', '--cluster', 'prod', '-f', 'groups.yaml', '--yes', '--json']), false);
    // What kubectl prints of a group is a file for `group apply`.
    await bench.write('printed.yaml', (await bench.lab.kubectl(['-n', 'vm', 'get', 'workloadgroups', '-o', 'yaml'])).stdout);
    fine(await bench.cli(['group', 'apply', '--cluster', 'prod', '-f', 'printed.yaml', '--yes', '--json']), false);
  });

  it('generates the files into a folder, the token with its mode, and none from a dump', async () => {
    const first = await bench.cli(['generate', '--vm', 'web', '--out', 'out', '--json']);
    fine(first, true);
    const token = await readFile(bench.at('out', TOKEN), 'utf8');
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { sub: string; aud: string[] };
    assert.deepEqual([claims.sub, claims.aud], ['system:serviceaccount:vm:web', ['istio-ca']]);
    assert.equal((await stat(bench.at('out', TOKEN))).mode & 0o777, 0o600);
    const gateway = (
      await bench.lab.kubectl([
        '-n',
        'istio-system',
        'get',
        'service',
        'istio-eastwestgateway',
        '-o',
        'jsonpath={.status.loadBalancer.ingress[0].ip}',
      ])
    ).stdout;
    assert.equal(await readFile(bench.at('out/etc/hosts'), 'utf8'), `${gateway} istiod.istio-system.svc\n`);
    const kinds =
      'services,configmaps,deployments,pods,nodes,namespaces,mutatingwebhookconfigurations,gateways,virtualservices,workloadgroups,workloadentries,serviceaccounts';
    await bench.write('cluster.yaml', (await bench.lab.kubectl(['get', kinds, '-A', '-o', 'yaml'])).stdout);
    const dump = await bench.cli(['generate', '--vm', 'web', '--out', 'dump', '--json', '--snapshot', 'cluster.yaml'], {
      kubeconfig: bench.at('no-kubeconfig'),
    });
    fine(dump, true);
    assert.match(dump.err, /no token[^\n]*istio-token/);
    await assert.rejects(stat(bench.at('dump', TOKEN)));
    for (const file of ['var/lib/istio/envoy/cluster.env', 'etc/istio/config/mesh', 'etc/certs/root-cert.pem', 'etc/hosts'])
      assert.equal(await readFile(bench.at('dump', file), 'utf8'), await readFile(bench.at('out', file), 'utf8'), file);
  });

  it('refuses to join where it would be half done, says why, and touches nothing', async () => {
    const machine = await bench.touchState('vm-1');
    const explained = {
      'ambient-only': [/ambient only.*ztunnel/, /istio-injection=enabled/],
      networks: [/vm\/mysql is on network machines, the mesh on pods/, /set the network of vm\/mysql to pods/],
      remote: [/remote cluster of another/, /primary cluster/],
    } as const;
    for (const unserved of ['ambient-only', 'networks', 'remote'] as const)
      await whileUnserved(bench.lab, unserved, async () => {
        const before = await clusterState();
        const run = await bench.cli(['join', '--vm', 'db', '--package', bench.lab.sidecarPackage, '--yes', '--json']);
        assert.deepEqual([run.code, run.errorCode()], [2, 'istiod.limit'], `${unserved}: ${run.out}${run.err}`);
        const { message = '', nextStep = '' } = run.results()[0]?.error ?? {};
        assert.match(message, explained[unserved][0]);
        assert.match(nextStep, explained[unserved][1]);
        // Only one group is on the other network: the cluster serves the rest.
        const shown = await bench.cli(['cluster', 'status', '--cluster', 'prod']);
        assert.equal(shown.code, unserved === 'networks' ? 0 : 3, shown.out);
        assert.match(shown.out, unserved === 'networks' ? /Several networks are named \(pods, machines\)/ : explained[unserved][0]);
        assert.equal(await clusterState(), before);
      });
    assert.equal(await bench.touchState('vm-1'), machine);
    fine(await bench.cli(['cluster', 'status', '--cluster', 'prod', '--json']), false);
  });

  it('joins two machines, and a second join changes nothing', async () => {
    const run = await bench.cli(['join', '--all', '--package', bench.lab.sidecarPackage, '--yes', '--json']);
    fine(run, true);
    const addresses = ['vm-1', 'vm-2'].map((machine) => bench.lab.machine(machine).address);
    const live = await entries();
    assert.deepEqual(live.map(({ spec }) => spec.address).sort(), [...addresses].sort());
    assert.ok(live.every(({ metadata }) => metadata.annotations?.['istio.io/connectedAt'] !== undefined));
    assert.equal(await bench.root('vm-1', 'systemctl is-enabled istio'), 'enabled\n');
    const before = await bench.touchState('vm-1');
    fine(await bench.cli(['join', '--all', '--package', bench.lab.sidecarPackage, '--yes', '--json']), false);
    assert.equal(await bench.touchState('vm-1'), before);
  });

  it('checks them, and finds an agent that is down', async () => {
    const run = await bench.cli(['check', '--all', '--json']);
    fine(run, false);
    await bench.root('vm-2', 'systemctl stop istio');
    assert.equal((await bench.cli(['check', '--vm', 'web'])).code, 3);
    const [down] = await statusOf(3, 'web');
    assert.equal(down?.condition, 'failed');
    await bench.root('vm-2', 'systemctl start --no-block istio');
    for (let left = 40; (await bench.cli(['status', '--vm', 'web', '--json'])).code !== 0; left--) {
      assert.ok(left > 0, 'the machine does not come back');
      await sleep(1000);
    }
  });

  it('says how the cluster sees them, and when their credentials end', async () => {
    const [db, web] = await statusOf(0, 'db', 'web');
    assert.deepEqual([db?.condition, db?.membership?.membership, db?.membership?.automatic], ['in-sync', 'healthy', true]);
    assert.equal(web?.membership?.membership, 'connected');
    const end = await bench.root('vm-1', 'date -u -d "$(openssl x509 -in /etc/certs/cert-chain.pem -noout -enddate | cut -d= -f2)" +%s');
    assert.equal(Date.parse(db?.certificateNotAfter ?? '') / 1000, Number(end));
    assert.ok(Date.parse(db?.tokenExpiresAt ?? '') > Date.now());
    assert.match(
      (await bench.cli(['status', '--vm', 'db'])).out,
      /db: in sync[\s\S]*healthy since[\s\S]*certificate until[\s\S]*token until/,
    );
    assert.match(
      (await bench.cli(['group', 'list', '--cluster', 'prod'])).out,
      /vm\/mysql as mysql http-mysql:3306\n {2}\S* ?vm\/mysql-\S+ \S+ healthy since/,
    );
    await runEcho(bench.lab, 'vm-1', 3306, { health: 503 });
    for (
      let left = 20;
      (await entries()).every(({ status }) => status?.conditions?.every((one) => one.status === 'True') !== false);
      left--
    ) {
      assert.ok(left > 0, 'istiod does not see the probe fail');
      await sleep(1000);
    }
    const [unhealthy] = await statusOf(3, 'db');
    assert.deepEqual([unhealthy?.condition, unhealthy?.membership?.membership], ['failed', 'unhealthy']);
    await runEcho(bench.lab, 'vm-1', 3306);
  });

  it('registers a service that the other machine calls by its name, with both identities, while plaintext from outside is refused under STRICT', async () => {
    fine(await bench.cli(['register', '--service', 'mysql', '--yes', '--json']), true);
    fine(await bench.cli(['register', '--service', 'mysql', '--yes', '--json']), false);
    let out = '';
    for (let left = 20; !out.startsWith('{'); left--) {
      assert.ok(left > 0, out);
      await sleep(1000);
      out = (await bench.lab.ssh('vm-2', MYSQL, { tolerant: true })).stdout;
    }
    const answer = echoAnswer(out);
    assert.equal(answer.hostname, 'vm-1');
    const [identities = ''] = answer.headers['X-Forwarded-Client-Cert'] ?? [];
    assert.match(identities, /By=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/mysql;/);
    assert.match(identities, /URI=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/web/);
    assert.equal(echoAnswer((await plaintext(bench.lab, 'vm-1', 3306)).stdout).hostname, 'vm-1');
    await applyStrictMtls(bench.lab);
    await eventually('plaintext being refused', async () => (await plaintext(bench.lab, 'vm-1', 3306)).refused);
    assert.equal(echoAnswer((await bench.lab.ssh('vm-2', MYSQL)).stdout).hostname, 'vm-1');
  });

  it('renews credentials', async () => {
    const [before] = await statusOf(0, 'db');
    const machine = await bench.touchState('vm-1');
    const shown = await bench.cli(['renew', '--vm', 'db', '--dry-run', '--json']);
    fine(shown, false);
    assert.equal(shown.results()[0]?.wouldChange, true);
    assert.equal(await bench.touchState('vm-1'), machine);
    await sleep(1100);
    fine(await bench.cli(['renew', '--vm', 'db', '--yes', '--json']), true);
    const [after] = await statusOf(0, 'db');
    assert.ok(Date.parse(after?.tokenExpiresAt ?? '') > Date.parse(before?.tokenExpiresAt ?? ''));
  });

  it('upgrades the sidecar', async () => {
    fine(await bench.cli(['upgrade', '--vm', 'db', '--package', bench.lab.newerSidecarPackage, '--yes', '--json']), true);
    assert.equal(await bench.root('vm-1', "dpkg-query -W -f '${Version}' istio-sidecar"), '1.31.1');
    fine(await bench.cli(['upgrade', '--vm', 'db', '--package', bench.lab.newerSidecarPackage, '--yes', '--json']), false);
    const [status] = await statusOf(0, 'db');
    assert.equal(status?.membership?.membership, 'healthy');
  });

  it("moves machines from the line in /etc/hosts to the gateway's host name, once istiod's certificate holds that", async () => {
    const name = 'eastwest.lab.internal';
    await addName(bench.lab, name, bench.lab.addresses.pods.eastwestgateway);
    const gateway = ['-n', 'istio-system', 'service', 'istio-eastwestgateway'];
    await bench.lab.kubectl(['annotate', ...gateway, `lab.mesh-expansion/hostname=${name}`]);
    await bench.lab.kubectl(['wait', ...gateway, `--for=jsonpath={.status.loadBalancer.ingress[0].hostname}=${name}`, '--timeout=30s']);
    await bench.write('mesh-expansion.yaml', inventory.replace('context: lab', 'context: lab, ingress: { hostname: san }'));
    const lacking = await bench.cli(['cluster', 'status', '--cluster', 'prod', '--json']);
    assert.equal(lacking.code, 3, lacking.err);
    assert.match(lacking.out, /"id": ?"certificate-names"[^}]*"value": ?"-"/);
    const told = await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--dry-run']);
    assert.match(told.err, /^ {2}helm upgrade istiod istio\/istiod .*--set pilot\.env\.ISTIOD_CUSTOM_HOST=eastwest\.lab\.internal$/m);
    // The real certificate, not what the Deployment says of it.
    const refused = await bench.cli(['check', '--vm', 'web']);
    assert.equal(refused.code, 3, refused.err);
    assert.match(
      refused.out,
      /The certificate that istiod shows is not for eastwest\.lab\.internal\.[\s\S]*ISTIOD_CUSTOM_HOST=eastwest\.lab\.internal/,
    );

    await bench.lab.kubectl(['-n', 'istio-system', 'set', 'env', 'deployment/istiod', `ISTIOD_CUSTOM_HOST=${name}`]);
    await startIstiod(bench.lab, { ISTIOD_CUSTOM_HOST: name });
    fine(await bench.cli(['cluster', 'status', '--cluster', 'prod', '--json']), false);
    fine(await bench.cli(['push', '--all', '--yes', '--json']), true);
    assert.doesNotMatch(await bench.root('vm-2', 'cat /etc/hosts'), /istiod/);
    assert.match(await bench.root('vm-2', 'cat /var/lib/istio/envoy/cluster.env'), /^CA_ADDR='eastwest\.lab\.internal:15012'$/m);
    await eventually('the probe of the machine', async () => (await bench.cli(['status', '--vm', 'db', 'web', '--json'])).code === 0);
    const [db, web] = await statusOf(0, 'db', 'web');
    assert.deepEqual([db?.membership?.membership, web?.membership?.membership], ['healthy', 'connected']);
    fine(await bench.cli(['check', '--vm', 'web', '--json']), false);
    fine(await bench.cli(['push', '--all', '--yes', '--json']), false);
  });

  it('leaves, and the machines are as before', async () => {
    fine(await bench.cli(['deregister', '--service', 'mysql', '--yes', '--json']), true);
    fine(await bench.cli(['leave', '--all', '--yes', '--json']), true);
    for (const machine of ['vm-1', 'vm-2']) assert.equal(await bench.machineState(machine), pristine[machine]);
    for (let left = 20; (await entries()).length > 0; left--) {
      assert.ok(left > 0, 'the entries do not go');
      await sleep(1000);
    }
    await stopEcho(bench.lab, 'vm-1', 3306);
  });
});
