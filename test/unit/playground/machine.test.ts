import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { isMeshError } from '../../../src/mesh/errors.ts';
import type { PushFile, VmHost } from '../../../src/mesh/ports.ts';
import { CREATES, handmadeFiles, OWNER, world, type World } from './world.ts';

const UNITS = ['istio', 'istio-auth-node-agent'];
const hasCode = (code: string) => (error: unknown) => isMeshError(error, code);

async function joined(change: (files: PushFile[]) => PushFile[] = (files) => files): Promise<World> {
  const here = await world();
  const files = change(await handmadeFiles(here.api));
  await here.host.installPackage(here.sidecar, CREATES, { owner: OWNER });
  await here.host.installTools(['bind9-host'], { owner: OWNER });
  await here.host.push({ owner: OWNER, files });
  await here.host.setUnits({ restart: ['dnsmasq'] }, { owner: OWNER });
  return here;
}

const without = (path: string) => (files: PushFile[]) => files.filter((file) => file.path !== path);
const withContent = (path: string, content: string) => (files: PushFile[]) =>
  files.map((file) => (file.path === path ? { ...file, content } : file));
const say = async (host: VmHost, ...argv: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await host.run({ argv });
  return `${exitCode} ${stdout}${stderr}`;
};

describe('playground machine', () => {
  it('brings both units up on the right files, and the checks of the guide pass', async () => {
    const { host } = await joined();
    const units = await host.setUnits({ enable: UNITS, start: UNITS }, { owner: OWNER });
    assert.deepEqual(
      units.map(({ active, enabled }) => [active, enabled]),
      [
        ['active', 'enabled'],
        ['active', 'enabled'],
      ],
    );
    assert.match(await say(host, 'host', 'istio-pilot.istio-system'), /^0 istio-pilot\.istio-system has address 10\.150\.0\.\d+\n$/);
    assert.equal(
      await say(host, 'host', 'istio-pilot.istio-system.svc.cluster.local.'),
      '0 istio-pilot.istio-system.svc.cluster.local has address 10.63.247.248\n',
    );
    assert.match(
      await say(host, 'curl', '-sS', '-m', '5', 'http://istio-pilot.istio-system:8080/v1/registration'),
      /"service-key": "productpage\.bookinfo\.svc\.cluster\.local\|http"/,
    );
    assert.match(
      await say(host, 'curl', '-sS', '-m', '5', '-w', '%{http_code}', 'http://istio-pilot.istio-system:8080/v1/registration/x'),
      /404: Page Not Found404$/,
    );
    assert.match(
      await say(host, 'curl', '-sSi', '-m', '5', 'http://productpage.bookinfo.svc.cluster.local:9080/'),
      /server: envoy[^]*Simple Bookstore App/,
    );
    assert.match(
      await say(host, 'journalctl', '-u', 'istio-auth-node-agent', '--no-pager'),
      /CSR is approved successfully\. Will renew cert in 1079h/,
    );
    assert.match(await say(host, 'ps', 'aux'), /\/usr\/local\/bin\/pilot-agent proxy[^]*\/usr\/local\/bin\/envoy/);
  });

  it('lets productpage through only with a running sidecar, the right CIDR, and not for root', async () => {
    const page = ['curl', '-sS', '-m', '2', 'http://productpage.bookinfo.svc.cluster.local:9080/'] as const;
    const { host } = await joined();
    assert.match(await say(host, ...page), /^28 /);
    await host.setUnits({ start: UNITS });
    assert.match(await say(host, ...page), /^0 /);
    const root = await host.run({ argv: page, asRoot: true });
    assert.equal(root.exitCode, 28);
    const wrong = await joined(
      withContent('/var/lib/istio/envoy/cluster.env', 'ISTIO_SERVICE_CIDR=10.99.0.0/16\nISTIO_CP_AUTH=MUTUAL_TLS\n'),
    );
    await wrong.host.setUnits({ start: UNITS });
    assert.match(await say(wrong.host, ...page), /^28 /);
  });

  // Causes and log lines are the rows of the table of citadel facts 10.
  const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs1' }).toString();
  const deaths: [string, (files: PushFile[]) => PushFile[], RegExp][] = [
    [
      'root-cert.pem is missing',
      without('/etc/certs/root-cert.pem'),
      /failed to create onprem client root cert file.*no such file or directory/,
    ],
    ['key.pem is empty', withContent('/etc/certs/key.pem', ''), /cannot load key pair: tls: failed to find any PEM data in key input/],
    [
      'the key is of another certificate',
      withContent('/etc/certs/key.pem', otherKey),
      /cannot load key pair: tls: private key does not match public key/,
    ],
  ];
  for (const [cause, change, line] of deaths) {
    it(`keeps the node agent restarting when ${cause}`, async () => {
      const { host, clock } = await joined(change);
      await assert.rejects(host.setUnits({ start: ['istio-auth-node-agent'] }), hasCode('host.unit'));
      clock.advance(35_000);
      const { units } = await host.probe({ units: ['istio-auth-node-agent'] });
      assert.equal(units[0]?.active, 'activating');
      assert.ok(units[0].restarts >= 3);
      assert.match(units[0].log ?? '', line);
    });
  }

  const refusals: [string, (files: PushFile[]) => PushFile[], RegExp][] = [
    [
      'istio-citadel does not resolve',
      withContent('/etc/dnsmasq.d/kubedns', '# nothing\n'),
      /CSR signing failed.*lookup istio-citadel on 127\.0\.0\.1:53: no such host.*Will retry in 5s/,
    ],
    [
      'Citadel is unreachable',
      withContent('/etc/dnsmasq.d/kubedns', 'address=/istio-citadel/10.60.1.4\n'),
      /CSR signing failed.*connect: connection refused".*Will retry in 5s/,
    ],
  ];
  for (const [cause, change, line] of refusals) {
    it(`keeps the node agent active but without a certificate when ${cause}`, async () => {
      const { host } = await joined(change);
      const [unit] = await host.setUnits({ start: ['istio-auth-node-agent'] });
      assert.equal(unit?.active, 'active');
      assert.match(await say(host, 'journalctl', '-u', 'istio-auth-node-agent'), line);
    });
  }

  it('says only `connection closed` once the own certificate has expired', async () => {
    const { host, clock } = await joined();
    clock.advance(91 * 86_400_000);
    const [unit] = await host.setUnits({ start: ['istio-auth-node-agent'] });
    assert.equal(unit?.active, 'active');
    assert.match(await say(host, 'journalctl', '-u', 'istio-auth-node-agent'), /CSR signing failed.*connection closed/);
  });

  it('answers names from the files that dnsmasq was started on', async () => {
    const { host } = await joined();
    await host.push({
      owner: OWNER,
      files: [
        {
          path: '/etc/dnsmasq.d/kubedns',
          content: 'address=/istio-pilot.istio-system/192.0.2.9\n',
          mode: 0o644,
          owner: 'root',
          group: 'root',
        },
      ],
    });
    assert.doesNotMatch(await say(host, 'host', 'istio-pilot.istio-system'), /192\.0\.2\.9/);
    await host.setUnits({ restart: ['dnsmasq'] });
    assert.match(await say(host, 'host', 'istio-pilot.istio-system'), /192\.0\.2\.9/);
  });

  it('pushes all or nothing, and leaves what is the same untouched', async () => {
    const { host } = await joined();
    const state = async () =>
      await host.probe({
        files: [
          { path: '/etc/a', want: 'text' },
          { path: '/etc/resolv.conf', want: 'text' },
        ],
        manifest: true,
      });
    const before = await state();
    const file = { path: '/etc/a', content: 'a\n', mode: 0o644, owner: 'root', group: 'root' };
    await assert.rejects(
      host.push({ owner: OWNER, files: [file, { ...file, path: '/etc/resolv.conf', expect: 'absent' }] }),
      hasCode('host.drift'),
    );
    await assert.rejects(
      host.push({ owner: OWNER, files: [file, { ...file, path: '/etc/b', owner: 'nobody-here' }] }),
      hasCode('host.command'),
    );
    assert.deepEqual(await state(), before);
    const first = await host.push({ owner: OWNER, files: [file] });
    const second = await host.push({ owner: OWNER, files: [file] });
    assert.deepEqual([first.changed, second.changed, second.unchanged], [['/etc/a'], [], ['/etc/a']]);
    assert.equal(second.generation, first.generation);
    assert.deepEqual((await host.rollback()).changed, ['/etc/a']);
    assert.equal((await state()).files[0]?.exists, false);
  });

  it('is as before after restore, purge and removal of what was made', async () => {
    const here = await world();
    const look = async () => {
      const paths = [
        '/etc/resolv.conf',
        '/etc/dnsmasq.d/kubedns',
        '/etc/certs',
        '/etc/certs/key.pem',
        '/var/lib/istio/envoy/sidecar.env',
        '/var/lib/mesh-expansion/manifest.json',
        '/usr/local/bin/envoy',
      ];
      return here.host.probe({
        files: paths.map((path) => ({ path, want: 'text' as const })),
        units: UNITS,
        packages: ['istio-sidecar', 'bind9-host'],
        manifest: true,
      });
    };
    const before = await look();
    const files = await handmadeFiles(here.api);
    await here.host.installPackage(here.sidecar, CREATES, { owner: OWNER });
    await here.host.installTools(['bind9-host'], { owner: OWNER });
    await here.host.push({ owner: OWNER, files });
    await here.host.setUnits({ restart: ['dnsmasq'], start: UNITS, enable: UNITS }, { owner: OWNER });
    assert.notDeepEqual(await look(), before);
    await here.host.setUnits({ stop: UNITS, disable: UNITS });
    await here.host.restoreOriginals();
    await here.host.removePackages(['istio-sidecar', 'bind9-host', 'dnsmasq']);
    await here.host.removeCreated();
    assert.deepEqual(await look(), before);
    assert.equal((await here.host.probe({ packages: ['dnsmasq'] })).packages[0]?.status, 'install ok installed');
  });

  it('shows facts of certificates and never the text of a key', async () => {
    const { host } = await joined();
    const { files } = await host.probe({
      files: [
        { path: '/etc/certs/cert-chain.pem', want: 'certificate' },
        { path: '/etc/certs/key.pem', want: 'text' },
        { path: '/etc/certs/key.pem', want: 'certificate' },
      ],
    });
    assert.deepEqual(files[0]?.certificate?.uris, ['spiffe://cluster.local/ns/vm/sa/default']);
    assert.equal(files[1]?.text, undefined);
    assert.match(files[2]?.certificate?.fingerprint ?? '', /^[0-9a-f]{64}$/);
  });

  it('has no shell, and says what it has', async () => {
    const { host } = await joined();
    assert.match(await say(host, 'mkfs', '/dev/sda'), /^127 mkfs: command not found/);
  });

  it('stops at once when it is cancelled', async () => {
    const { host } = await joined();
    await assert.rejects(host.probe({ facts: true }, { signal: AbortSignal.abort() }), hasCode('cancelled'));
  });
});
