// The whole job by the command line on the lab. kubectl, and a root shell on the machine, are the witnesses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { linkDown, reboot } from './faults.ts';
import { CliBench, type CliRun } from './support/cli.ts';

const inventory = `version: 1
clusters:
  - { name: prod, context: lab }
vms:
  - { name: db, host: vm-1, cluster: prod, namespace: vm, inboundPorts: [3306] }
  - { name: web, host: vm-2, cluster: prod, namespace: vm }
services:
  - name: mysql
    cluster: prod
    namespace: vm
    ports: [{ name: http-mysql, port: 3306 }]
    vms: [db]
`;
const kubedns = '/etc/dnsmasq.d/kubedns';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface LiveService {
  metadata: { annotations: Record<string, string>; resourceVersion: string };
  spec: { type: string; clusterIP: string; selector?: Record<string, string>; ports: { name?: string; port: number; protocol: string }[] };
  status: { loadBalancer: { ingress: { ip: string }[] } };
}

describe('the whole job by the command line', function () {
  this.timeout(180_000);
  this.bail(true);
  let bench: CliBench;
  let pristine: Record<string, string> = {};

  before(async () => {
    bench = await CliBench.start(inventory);
    // sudo leaves a mark in the home of whoever uses it for the first time.
    for (const machine of ['vm-1', 'vm-2']) await bench.lab.ssh(machine, ['sudo', 'true']);
    pristine = { 'vm-1': await bench.machineState('vm-1'), 'vm-2': await bench.machineState('vm-2') };
  });
  after(async () => bench.stop());

  const service = async (namespace: string, name: string): Promise<LiveService> =>
    (await bench.lab.read(`/api/v1/namespaces/${namespace}/services/${name}`)) as LiveService;
  const balancer = async (name: string, namespace = 'istio-system'): Promise<string> =>
    (await service(namespace, name)).status.loadBalancer.ingress[0]?.ip ?? '';
  const fine = (run: CliRun, changed: boolean): void => {
    assert.equal(run.code, 0, run.err);
    assert.deepEqual(
      run.results().map((result) => [result.ok, result.changed, result.code]),
      run.results().map(() => [true, changed, 0]),
      run.out,
    );
  };
  const page = async (machine: string): Promise<string> =>
    (
      await bench.lab.ssh(machine, ['curl', '-sS', '-m', '10', 'http://productpage.bookinfo.svc.cluster.local:9080/productpage'], {
        tolerant: true,
      })
    ).stdout;

  it('shows the setup of a cluster without doing it', async () => {
    const before = await bench.clusterState();
    const run = await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--dry-run']);
    assert.equal(run.code, 0, run.err);
    for (const name of ['istio-system/istio-pilot-ilb', 'istio-system/mixer-ilb', 'istio-system/citadel-ilb', 'kube-system/dns-ilb'])
      assert.match(run.err, new RegExp(`\\+ Service ${name}`));
    // The YAML can be had before anything is made, and taken back edited.
    const shown = await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--dry-run', '--json']);
    await bench.write('balancers.yaml', String(shown.results()[0]?.manifest));
    const names = await bench.lab.kubectl(['apply', '--dry-run=server', '-f', bench.at('balancers.yaml'), '-o', 'name']);
    assert.deepEqual(names.stdout.trim().split('\n').toSorted(), [
      'service/citadel-ilb',
      'service/dns-ilb',
      'service/istio-pilot-ilb',
      'service/mixer-ilb',
    ]);
    const edited = ['cluster', 'setup', '--cluster', 'prod', '--dry-run', '--manifest', 'balancers.yaml'];
    assert.equal((await bench.cli(edited)).code, 0);
    assert.equal(await bench.clusterState(), before);
  });

  it('sets a cluster up as its release has it, once', async () => {
    fine(await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--yes', '--json']), true);
    // Citadel facts 3, the row of 0.8.0 and later.
    const wanted: [string, string, string[], Record<string, string>][] = [
      ['istio-system', 'istio-pilot-ilb', ['15005/TCP', '8080/TCP', '15010/TCP', '15011/TCP'], { istio: 'pilot' }],
      ['istio-system', 'mixer-ilb', ['15004/TCP'], { istio: 'mixer', 'istio-mixer-type': 'telemetry' }],
      ['istio-system', 'citadel-ilb', ['8060/TCP'], { istio: 'citadel' }],
      ['kube-system', 'dns-ilb', ['53/UDP'], { 'k8s-app': 'kube-dns' }],
    ];
    for (const [namespace, name, ports, selector] of wanted) {
      const { metadata, spec, status } = await service(namespace, name);
      assert.deepEqual(
        [spec.type, spec.ports.map(({ port, protocol }) => `${port}/${protocol}`), spec.selector],
        ['LoadBalancer', ports, selector],
      );
      assert.equal(metadata.annotations['cloud.google.com/load-balancer-type'], 'internal');
      assert.match(status.loadBalancer.ingress[0]?.ip ?? '', /^10\./);
    }
    const before = await bench.clusterState();
    fine(await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--yes', '--json']), false);
    assert.equal(await bench.clusterState(), before);
  });

  it('generates what the scripts write, from the API server and from a dump alike', async () => {
    fine(await bench.cli(['generate', '--vm', 'web', '--out', 'out', '--json']), true);
    const [pilot, mixer, citadel, dns] = [
      await balancer('istio-pilot-ilb'),
      await balancer('mixer-ilb'),
      await balancer('citadel-ilb'),
      await balancer('dns-ilb', 'kube-system'),
    ];
    // Citadel facts 1.1 and 1.2.
    const names = (suffix: string): string =>
      `address=/istio-policy${suffix}/${mixer}\naddress=/istio-telemetry${suffix}/${mixer}\naddress=/istio-pilot${suffix}/${pilot}\naddress=/istio-citadel${suffix}/${citadel}\naddress=/istio-ca${suffix}/${citadel}\n`;
    assert.equal(
      await readFile(bench.at('out', kubedns), 'utf8'),
      `server=/svc.cluster.local/${dns}\n${names('')}${names('.istio-system')}`,
    );
    assert.equal(
      await readFile(bench.at('out/var/lib/istio/envoy/cluster.env'), 'utf8'),
      'ISTIO_SERVICE_CIDR=10.96.0.0/16\nISTIO_SYSTEM_NAMESPACE=istio-system\nISTIO_CP_AUTH=MUTUAL_TLS\n',
    );
    const secret = (await bench.lab.kubectlJson(['-n', 'vm', 'get', 'secret', 'istio.default'])) as { data: Record<string, string> };
    for (const name of ['key.pem', 'cert-chain.pem', 'root-cert.pem']) {
      assert.equal((await readFile(bench.at('out/etc/certs', name))).toString('base64'), secret.data[name]);
      assert.equal((await stat(bench.at('out/etc/certs', name))).mode & 0o777, name === 'key.pem' ? 0o600 : 0o644);
    }
    const dump = await bench.lab.kubectl([
      'get',
      'services,secrets,configmaps,deployments,pods,nodes,servicecidrs,endpoints',
      '-A',
      '-o',
      'yaml',
    ]);
    await bench.write('cluster.yaml', dump.stdout);
    fine(
      await bench.cli(['generate', '--vm', 'web', '--out', 'out', '--json', '--snapshot', 'cluster.yaml'], {
        kubeconfig: bench.at('no-kubeconfig'),
      }),
      false,
    );
  });

  it('joins a machine', async () => {
    fine(await bench.cli(['join', '--vm', 'db', '--package', bench.packageUrl, '--yes', '--json']), true);
    const stats = await bench.root(
      'vm-1',
      `stat -c '%n %a %U' ${kubedns} /var/lib/istio/envoy/{cluster,sidecar}.env /etc/certs/{root-cert,cert-chain,key}.pem`,
    );
    assert.equal(
      stats,
      `${kubedns} 644 root\n/var/lib/istio/envoy/cluster.env 644 istio-proxy\n/var/lib/istio/envoy/sidecar.env 644 istio-proxy\n/etc/certs/root-cert.pem 644 istio-proxy\n/etc/certs/cert-chain.pem 644 istio-proxy\n/etc/certs/key.pem 600 istio-proxy\n`,
    );
    await works('vm-1');
    assert.match(
      await bench.root('vm-1', 'cat /var/lib/istio/envoy/sidecar.env'),
      new RegExp(`^ISTIO_SVC_IP=${bench.lab.machine('vm-1').address}$`, 'm'),
    );
    assert.match(await bench.root('vm-1', 'cat /var/lib/istio/envoy/sidecar.env'), /^ISTIO_INBOUND_PORTS=3306$/m);
  });

  async function works(machine: string): Promise<void> {
    assert.equal(
      await bench.root(machine, 'systemctl is-enabled istio istio-auth-node-agent; systemctl is-active istio istio-auth-node-agent'),
      'enabled\nenabled\nactive\nactive\n',
    );
    assert.match(
      (await bench.lab.ssh(machine, ['host', 'istio-pilot.istio-system'])).stdout,
      new RegExp(`has address ${await balancer('istio-pilot-ilb')}$`, 'm'),
    );
    const { spec } = await service('istio-system', 'istio-pilot');
    assert.match(
      (await bench.lab.ssh(machine, ['host', 'istio-pilot.istio-system.svc.cluster.local.'])).stdout,
      new RegExp(`has address ${spec.clusterIP}$`, 'm'),
    );
    assert.match(await page(machine), /<html/);
  }

  it('changes nothing when it joins again', async () => {
    const [cluster, machine] = [await bench.clusterState(), await bench.touchState('vm-1')];
    fine(await bench.cli(['join', '--vm', 'db', '--yes', '--json']), false);
    assert.equal(await bench.clusterState(), cluster);
    assert.equal(await bench.touchState('vm-1'), machine);
  });

  it('shows every other change without doing it', async () => {
    const state = async (): Promise<readonly string[]> => [
      await bench.clusterState(),
      await bench.touchState('vm-1'),
      await bench.machineState('vm-2'),
    ];
    const before = await state();
    for (const args of [
      ['join', '--vm', 'web', '--package', bench.packageUrl],
      ['rollback', '--vm', 'db'],
      ['upgrade', '--vm', 'db', '--package', bench.lab.newerSidecarPackage],
      ['register', '--service', 'mysql'],
      ['leave', '--vm', 'db'],
    ]) {
      const run = await bench.cli([...args, '--dry-run', '--json']);
      fine(run, false);
      assert.equal(run.results()[0]?.wouldChange, true, args.join(' '));
    }
    assert.deepEqual(await state(), before);
  });

  it('checks the machine, and finds a stopped sidecar', async () => {
    const checks = await bench.cli(['check', '--vm', 'db', '--json']);
    fine(checks, false);
    await bench.root('vm-1', 'systemctl stop istio; cp -p /etc/certs/key.pem /run/key; openssl genrsa -out /etc/certs/key.pem 2>/dev/null');
    assert.equal(await page('vm-1'), '');
    const failed = await bench.cli(['check', '--vm', 'db']);
    await bench.root('vm-1', 'mv /run/key /etc/certs/key.pem');
    assert.equal(failed.code, 3);
    assert.match(failed.out, /FAIL/);
    assert.match(failed.out, /The key \/etc\/certs\/key\.pem does not belong to the certificate/);
    const status = await bench.cli(['status', '--vm', 'db', '--json']);
    assert.deepEqual([status.code, status.results()[0]?.condition], [3, 'failed']);
    await bench.root('vm-1', 'systemctl start istio');
    await until(async () => (await page('vm-1')).includes('<html'));
  });

  it('pushes a saved edit, stops at one of an older text, and rolls back', async () => {
    const generated = await bench.root('vm-1', `cat ${kubedns}`);
    const edit = bench.at('.mesh-expansion/db', kubedns);
    await mkdir(bench.at('.mesh-expansion/db/etc/dnsmasq.d'), { recursive: true });
    await writeFile(edit, `# by hand\n${generated}`);
    await writeFile(`${edit}.base`, `${sha256(generated)}\n`);
    assert.equal((await bench.cli(['status', '--vm', 'db'])).code, 3);
    fine(await bench.cli(['push', '--vm', 'db', '--yes', '--json']), true);
    assert.equal(await bench.root('vm-1', `cat ${kubedns}`), `# by hand\n${generated}`);
    const before = await bench.touchState('vm-1');
    await writeFile(`${edit}.base`, `${sha256('older')}\n`);
    const conflict = await bench.cli(['push', '--vm', 'db', '--yes', '--json']);
    assert.deepEqual([conflict.code, conflict.errorCode()], [4, 'edit.conflict']);
    assert.equal(await bench.touchState('vm-1'), before);
    await rm(bench.at('.mesh-expansion'), { recursive: true });
    fine(await bench.cli(['rollback', '--vm', 'db', '--yes', '--json']), true);
    assert.equal(await bench.root('vm-1', `cat ${kubedns}`), generated);
    fine(await bench.cli(['status', '--vm', 'db', '--json']), false);
    await works('vm-1');
  });

  it('finds what a person changed on the machine, and pushes over it', async () => {
    await bench.root('vm-1', 'echo "# a person was here" >> /var/lib/istio/envoy/cluster.env');
    const status = await bench.cli(['status', '--vm', 'db']);
    assert.equal(status.code, 3);
    assert.match(status.out, /\/var\/lib\/istio\/envoy\/cluster\.env differs/);
    const shown = await bench.cli(['push', '--vm', 'db', '--dry-run']);
    assert.match(shown.err, /~ \/var\/lib\/istio\/envoy\/cluster\.env/);
    assert.match(await bench.root('vm-1', 'cat /var/lib/istio/envoy/cluster.env'), /a person/);
    fine(await bench.cli(['push', '--vm', 'db', '--yes', '--json']), true);
    assert.doesNotMatch(await bench.root('vm-1', 'cat /var/lib/istio/envoy/cluster.env'), /a person/);
    await works('vm-1');
  });

  it('registers a service that answers inside the cluster, and takes it out again', async () => {
    const server = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 3306, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { while (<$c>) { last if /^\\r?$/ } print $c "HTTP/1.0 200 OK\\r\\n\\r\\nfrom the machine\\n"; close $c }`;
    await bench.lab.onMachine('vm-1', ['systemd-run', '--unit', 'lab-mysql', 'perl', '-e', server]);
    fine(await bench.cli(['register', '--service', 'mysql', '--yes', '--json']), true);
    const { metadata, spec } = await service('vm', 'mysql');
    assert.deepEqual(
      spec.ports.map(({ name, port, protocol }) => [name, port, protocol]),
      [['http-mysql', 3306, 'TCP']],
    );
    assert.equal(spec.selector, undefined);
    assert.equal(metadata.annotations['alpha.istio.io/kubernetes-serviceaccounts'], 'default');
    const endpoints = async (): Promise<unknown> =>
      ((await bench.lab.kubectlJson(['-n', 'vm', 'get', 'endpoints', 'mysql'])) as { subsets?: unknown }).subsets;
    assert.deepEqual(await endpoints(), [
      { addresses: [{ ip: bench.lab.machine('vm-1').address }], ports: [{ name: 'http-mysql', port: 3306, protocol: 'TCP' }] },
    ]);
    await until(
      async () =>
        (await bench.lab.inCluster(['curl', '-sS', '-m', '5', `http://${spec.clusterIP}:3306/`], { tolerant: true })).stdout ===
        'from the machine\n',
    );
    const before = await bench.clusterState();
    fine(await bench.cli(['register', '--service', 'mysql.vm', '--yes', '--json']), false);
    assert.equal(await bench.clusterState(), before);
    const status = await bench.cli(['cluster', 'status', '--cluster', 'prod', '--json']);
    assert.equal(status.code, 0);
    assert.deepEqual(status.results()[0]?.unmanaged, []);
    fine(await bench.cli(['deregister', '--service', 'mysql', '--yes', '--json']), true);
    assert.equal(await endpoints(), undefined);
    await service('vm', 'mysql');
    fine(await bench.cli(['deregister', '--service', 'mysql', '--yes', '--json']), false);
  });

  it('holds after a reboot', async () => {
    await reboot(bench.lab, 'vm-1');
    await until(async () => (await page('vm-1')).includes('<html'));
    await works('vm-1');
    fine(await bench.cli(['status', '--vm', 'db', '--json']), false);
  });

  it('stops when it is told to, leaves nothing running, and goes on where it stopped', async () => {
    const stopped = await bench.cli(['join', '--vm', 'web', '--package', bench.packageUrl, '--yes', '--json'], {
      signalOn: (stderr) => (/web 3\/7 .*\.\.\./.test(stderr) ? 'SIGINT' : undefined),
    });
    assert.equal(stopped.code, 130, stopped.err);
    assert.equal(stopped.results()[0]?.code, 130);
    await sleep(2000);
    // The state directory is in the command line of every script of ours; dpkg is what was running. In quotes: the shell makes a name of a pattern that there is.
    assert.equal(await bench.root('vm-2', 'pgrep -ax dpkg; ps -eo args | grep "/var/lib/[m]esh-expansion"; :'), '');
    fine(await bench.cli(['join', '--vm', 'web', '--package', bench.packageUrl, '--yes', '--json']), true);
    await works('vm-2');
  });

  it('tells each machine of several by itself', async () => {
    const heal = await linkDown(bench.lab, 'vm-2');
    try {
      const run = await bench.cli(['status', '--all', '--json']);
      assert.equal(run.code, 1, run.err);
      assert.deepEqual(
        run.results().map(({ vm, code }) => [vm, code]),
        [
          ['db', 0],
          ['web', 1],
        ],
      );
    } finally {
      await heal();
    }
  });

  it('leaves the machines as they were', async () => {
    fine(await bench.cli(['leave', '--all', '--yes', '--json']), true);
    for (const machine of ['vm-1', 'vm-2']) assert.deepEqual(differences(pristine[machine] ?? '', await bench.machineState(machine)), []);
    fine(await bench.cli(['leave', '--all', '--yes', '--json']), false);
  });
});

/** Lines that are in one of two texts only. */
function differences(before: string, after: string): string[] {
  const [old, fresh] = [new Set(before.split('\n')), new Set(after.split('\n'))];
  return [
    ...[...old].filter((line) => !fresh.has(line)).map((line) => `- ${line}`),
    ...[...fresh].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}

async function until(holds: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    assert.ok(Date.now() < end, 'it did not come in time');
    await sleep(300);
  }
}
