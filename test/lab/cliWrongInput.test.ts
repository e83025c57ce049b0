// Wrong input by the command line: a clear message with a next step, and cluster, machine and inventory as they were before.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { changeHostKey, linkDown, restrictSudo, SUDO_PASSWORD, type Heal } from './faults.ts';
import { CliBench, type CliOptions } from './support/cli.ts';
import { eventually } from './support/eventually.ts';

const inventory = `version: 1
clusters:
  - { name: prod, context: lab }
vms:
  - { name: vm-1, cluster: prod, namespace: vm }
services:
  - { name: mysql, cluster: prod, namespace: vm, ports: [{ name: mysql, port: 3306 }], vms: [vm-1] }
`;

interface Expected {
  readonly code: number;
  readonly error: string | RegExp;
  /** In the message or the next step, as a person reads them. */
  readonly says: RegExp;
}

describe('wrong input by the command line', function () {
  this.timeout(180_000);
  let bench: CliBench;
  const heals: Heal[] = [];

  before(async () => {
    bench = await CliBench.start(inventory);
    await bench.lab.ssh('vm-1', ['sudo', 'true']);
    await setUp();
  });
  after(async () => bench.stop());
  afterEach(async () => {
    for (const heal of heals.splice(0).reverse()) await heal();
  });

  const setUp = async (): Promise<void> => {
    const run = await bench.cli(['cluster', 'setup', '--cluster', 'prod', '--yes']);
    assert.equal(run.code, 0, run.err);
  };
  /** Deletes a load balancer, and waits for the controller that deletes its endpoints: later they would look like a change. */
  const withoutMixer = async (): Promise<void> => {
    heals.push(setUp);
    await bench.lab.kubectl(['-n', 'istio-system', 'delete', 'service', 'mixer-ilb']);
    const endpoints = '/api/v1/namespaces/istio-system/endpoints/mixer-ilb';
    await eventually('no endpoints of mixer-ilb', async () => (await bench.lab.find(endpoints)) === undefined);
  };
  const join = ['join', '--vm', 'vm-1', '--yes'];

  /** Runs a command that must fail as expected. */
  async function refused(args: readonly string[], expected: Expected, options: CliOptions = {}): Promise<void> {
    const run = await bench.cli([...args, '--json'], options);
    assert.equal(run.code, expected.code, `${args.join(' ')}\n${run.err}`);
    assert.match(
      run.errorCode() ?? '',
      expected.error instanceof RegExp ? expected.error : new RegExp(`^${expected.error.replaceAll('.', '\\.')}$`),
      run.err,
    );
    assert.match(run.err, expected.says);
    assert.match(run.err, /next: \S/, 'no next step');
  }

  /** Cluster, machine and inventory must be as before after the attempts. */
  async function unchanged(attempts: () => Promise<void>): Promise<void> {
    const state = async (): Promise<readonly string[]> => [
      await readFile(bench.at('mesh-expansion.yaml'), 'utf8'),
      await bench.clusterState(),
      await bench.machineState('vm-1'),
    ];
    const before = await state();
    await attempts();
    assert.deepEqual(await state(), before);
  }

  /** A join of the inventory with one change. */
  async function refusedJoin(change: (text: string) => string, expected: Expected): Promise<void> {
    await bench.write('changed.yaml', change(inventory));
    await refused([...join, '--inventory', 'changed.yaml', '--package', bench.packageUrl], expected);
  }

  it('a load balancer that is not there, or has no address', async () => {
    await withoutMixer();
    await unchanged(() => refused(join, { code: 1, error: /balancer/, says: /mixer-ilb/ }));
    const manifest = await balancers();
    const annotation = 'load-balancer-type: internal';
    await bench.write('pending.yaml', manifest.replaceAll(annotation, `${annotation}\n    lab.mesh-expansion/pending: "true"`));
    const setup = await bench.cli([
      'cluster',
      'setup',
      '--cluster',
      'prod',
      '--manifest',
      'pending.yaml',
      '--wait',
      '2',
      '--yes',
      '--json',
    ]);
    assert.equal(setup.code, 1, setup.err);
    assert.match(setup.err, /next: /);
    await unchanged(() => refused(join, { code: 1, error: /balancer/, says: /mixer-ilb/ }));
    const status = await bench.cli(['cluster', 'status', '--cluster', 'prod']);
    assert.equal(status.code, 3);
    assert.match(status.out, /pending/);
  });

  /** The load balancers as kubectl would apply them, from the names and ports of the facts. */
  async function balancers(): Promise<string> {
    // Citadel facts 3, the row of 0.8.0 and later.
    const one = (namespace: string, name: string, selector: string, ports: string): string =>
      `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\n  annotations:\n    cloud.google.com/load-balancer-type: internal\nspec:\n  type: LoadBalancer\n  selector: ${selector}\n  ports: ${ports}\n`;
    return [
      one(
        'istio-system',
        'istio-pilot-ilb',
        '{ istio: pilot }',
        '[{ name: https-pilot, port: 15005 }, { name: http-pilot, port: 8080 }, { name: grpc-pilot, port: 15010 }, { name: tls-grpc-pilot, port: 15011 }]',
      ),
      one('istio-system', 'mixer-ilb', '{ istio: mixer, istio-mixer-type: telemetry }', '[{ port: 15004 }]'),
      one('istio-system', 'citadel-ilb', '{ istio: citadel }', '[{ port: 8060 }]'),
      one('kube-system', 'dns-ilb', '{ k8s-app: kube-dns }', '[{ port: 53, protocol: UDP }]'),
    ].join('---\n');
  }

  it('a secret that is missing or half-written', async () => {
    await unchanged(() =>
      refusedJoin((text) => text.replace('namespace: vm }', 'namespace: vm, serviceAccount: nobody }'), {
        code: 1,
        error: /citadel|secret/,
        says: /vm\/nobody/,
      }),
    );
    // Citadel mends a broken secret within a second, so the half-written ones are shown in a dump of the cluster.
    const dump = await bench.lab.kubectl([
      'get',
      'services,secrets,serviceaccounts,configmaps,deployments,pods,servicecidrs',
      '-A',
      '-o',
      'json',
    ]);
    const halves: ((data: Record<string, string>) => void)[] = [
      (data) => delete data['key.pem'],
      (data) => (data['key.pem'] = ''),
      (data) => (data['cert-chain.pem'] = data['cert-chain.pem']?.slice(0, 400) ?? ''),
      (data) => (data['root-cert.pem'] = Buffer.from('rubbish').toString('base64')),
    ];
    await unchanged(async () => {
      for (const spoil of halves) {
        const cluster = JSON.parse(dump.stdout) as {
          items: { kind: string; metadata: { namespace: string; name: string }; data: Record<string, string> }[];
        };
        const secret = cluster.items.find(
          ({ kind, metadata }) => kind === 'Secret' && metadata.namespace === 'vm' && metadata.name === 'istio.default',
        );
        assert.ok(secret);
        spoil(secret.data);
        await bench.write('spoilt.json', JSON.stringify(cluster));
        await refused([...join, '--package', bench.packageUrl, '--snapshot', 'spoilt.json'], {
          code: 1,
          error: /citadel|secret/,
          says: /vm\/istio\.default/,
        });
      }
    });
  });

  it('an unknown and a changed host key, also with --yes', async () => {
    await bench.write('known_hosts', '');
    const config = (await readFile(bench.lab.sshConfig, 'utf8'))
      .replaceAll(bench.lab.knownHosts, bench.at('known_hosts'))
      .replace('StrictHostKeyChecking yes', 'StrictHostKeyChecking ask');
    await bench.write('ssh_config', config);
    const fingerprint = (await bench.root('vm-1', 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub')).split(' ')[1] ?? 'none';
    const says = new RegExp(fingerprint.replaceAll(/[+/]/g, '\\$&'));
    await unchanged(() => refused(join, { code: 4, error: 'host.key-unknown', says }, { sshConfig: bench.at('ssh_config') }));
    assert.equal(await readFile(bench.at('known_hosts'), 'utf8'), '');
    heals.push(await changeHostKey(bench.lab, 'vm-1'));
    await unchanged(() => refused(join, { code: 4, error: 'host.key-changed', says: /vm-1/ }));
  });

  it('sudo that is refused, or wants a password without a terminal', async () => {
    for (const how of ['refused', 'password'] as const) {
      heals.push(await restrictSudo(bench.lab, 'vm-1', how));
      // Without a password sudo says the same in both cases.
      await unchanged(() => refused([...join, '--package', bench.packageUrl], { code: 4, error: 'host.sudo-password', says: /sudo/ }));
      for (const heal of heals.splice(0)) await heal();
    }
  });

  it('a person on a terminal is asked, and the answer counts', async () => {
    await bench.write('known_hosts', '');
    const config = (await readFile(bench.lab.sshConfig, 'utf8'))
      .replaceAll(bench.lab.knownHosts, bench.at('known_hosts'))
      .replace('StrictHostKeyChecking yes', 'StrictHostKeyChecking ask');
    await bench.write('ssh_config', config);
    const status = ['status', '--vm', 'vm-1'];
    const no = await bench.terminal(status, [[/Trust it/, 'no']], bench.at('ssh_config'));
    assert.equal(no.code, 4, no.out);
    const yes = await bench.terminal(status, [[/Trust it/, 'yes']], bench.at('ssh_config'));
    assert.match(yes.out, /not joined/);
    // The answer is remembered, and not in the files of ssh.
    assert.match((await bench.cli(status, { sshConfig: bench.at('ssh_config') })).out, /not joined/);
    assert.equal(await readFile(bench.at('known_hosts'), 'utf8'), '');

    await unchanged(async () => {
      const declined = await bench.terminal(['register', '--service', 'mysql'], [[/\[y\/N\]/, 'n']]);
      assert.equal(declined.code, 4, declined.out);
    });

    heals.push(await restrictSudo(bench.lab, 'vm-1', 'password'));
    const shown = await bench.terminal([...join, '--package', bench.packageUrl, '--dry-run'], [[/assword[^\n]*: *$/, SUDO_PASSWORD]]);
    assert.equal(shown.code, 0, shown.out);
    assert.ok(!shown.out.includes(SUDO_PASSWORD), 'the password was shown');
    assert.match(shown.out, /Warning: http:\S+ is plain http and no checksum was given/);
  });

  it('no route to the machine', async () => {
    heals.push(await linkDown(bench.lab, 'vm-1'));
    const since = Date.now();
    await unchanged(() => refused(join, { code: 1, error: 'host.unreachable', says: /vm-1/ }));
    assert.ok(Date.now() - since < 45_000);
  });

  it('an account that may not do it', async () => {
    await withoutMixer();
    const setup = ['cluster', 'setup', '--cluster', 'prod', '--yes'];
    const expected = { code: 1, error: 'cluster.access-denied', says: /create services/ };
    await unchanged(() => refused([...setup, '--context', `prod=${bench.lab.contexts.viewer}`, '--provider', 'gcp'], expected));
  });

  it('a cluster whose provider nobody knows', async () => {
    const node = (await bench.lab.kubectlJson(['get', 'node', 'lab'])) as { metadata: object; spec: { providerID?: string } };
    // A node's providerID cannot be changed, so the node is made anew.
    const replace = (spec: object): Promise<unknown> =>
      bench.lab.kubectl(['replace', '--force', '-f', '-'], {
        input: JSON.stringify({ ...node, metadata: { ...node.metadata, resourceVersion: undefined, uid: undefined }, spec }),
      });
    assert.match(node.spec.providerID ?? '', /^gce:/);
    await replace({ ...node.spec, providerID: undefined });
    heals.push(async () => {
      await replace(node.spec);
    });
    const expected = { code: 2, error: 'cluster.provider-unknown', says: /provider/ };
    await unchanged(() => refused(['cluster', 'setup', '--cluster', 'prod', '--yes'], expected));
  });

  it('an inventory with a typo, a bad port, and names that are options, paths or shell words', async () => {
    const wrong: [(text: string) => string, RegExp][] = [
      [(text) => text.replace('namespace: vm }', 'namespace: vm, inboundPort: [80] }'), /vms\[0\]\.inboundPort[\s\S]*inboundPorts/],
      [(text) => text.replace('namespace: vm }', 'namespace: vm, inboundPorts: [80, 65536] }'), /vms\[0\]\.inboundPorts\[1\][\s\S]*65536/],
      [(text) => text.replace('namespace: vm }', 'namespace: vm, host: "-oProxyCommand=touch /tmp/x" }'), /vms\[0\]\.host/],
      [(text) => text.replace('namespace: vm }', 'namespace: vm, host: "vm-1; touch /tmp/x" }'), /vms\[0\]\.host/],
      [(text) => text.replace('namespace: vm }', 'namespace: vm, host: ../vm-1 }'), /vms\[0\]\.host/],
      [(text) => text.replace('namespace: vm }', 'namespace: "../../etc" }'), /vms\[0\]\.namespace/],
      [(text) => text.replace('cluster: prod, namespace: vm }', 'cluster: prd, namespace: vm }'), /vms\[0\]\.cluster[\s\S]*prod/],
      [(text) => text.replace('context: lab', 'context: lab, serviceCidr: ["10.96.0.0/99"]'), /clusters\[0\]\.serviceCidr\[0\]/],
    ];
    await unchanged(async () => {
      for (const [change, says] of wrong) await refusedJoin(change, { code: 2, error: 'inventory.invalid', says });
    });
  });

  it('a package that is not there, is none, or was not given', async () => {
    await bench.write('not-a-package.deb', 'rubbish');
    await unchanged(async () => {
      await refused(join, { code: 2, error: 'package.missing', says: /istio-sidecar/ });
      await refused([...join, '--package', 'no-such.deb'], { code: 2, error: /package/, says: /no-such\.deb/ });
      await refused([...join, '--package', 'not-a-package.deb'], { code: 2, error: /package/, says: /not-a-package\.deb/ });
      await refused([...join, '--package', `${bench.packageUrl}x`], { code: 1, error: /package/, says: /404/ });
      for (const [sum, says] of [
        ['0'.repeat(64), /has the sha256 [0-9a-f]{64}; it must be 0{64}/],
        ['abc', /sha256 is 'abc'; it must be 64 hexadecimal digits/],
      ] as const)
        await refused([...join, '--package', bench.packageUrl, '--package-sha256', sum], { code: 2, error: 'package.checksum', says });
    });
  });
});
