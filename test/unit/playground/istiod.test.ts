import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { isMeshError } from '../../../src/mesh/errors.ts';
import type { ClusterApi, KubeObject, PushFile, VmHost } from '../../../src/mesh/ports.ts';
import { moments, playground, quickClock } from './world.ts';

const NETWORKING = 'networking.istio.io/v1';
const VM = 'playground-vm-3';
const OWNER = { vm: VM, cluster: 'playground-istiod', era: 'istiod', release: '1.31.0' };
const LOG = '/var/log/istio/istio.log';

/** Written by hand from istiod facts 3.1. */
const EXPOSED: readonly KubeObject[] = [
  {
    apiVersion: NETWORKING,
    kind: 'Gateway',
    metadata: { name: 'istiod-gateway', namespace: 'istio-system' },
    spec: {
      selector: { istio: 'eastwestgateway' },
      servers: [{ port: { name: 'tls-istiod', number: 15012, protocol: 'tls' }, tls: { mode: 'PASSTHROUGH' }, hosts: ['*'] }],
    },
  },
  {
    apiVersion: NETWORKING,
    kind: 'VirtualService',
    metadata: { name: 'istiod-vs', namespace: 'istio-system' },
    spec: {
      hosts: ['*'],
      gateways: ['istiod-gateway'],
      tls: [
        {
          match: [{ port: 15012, sniHosts: ['*'] }],
          route: [{ destination: { host: 'istiod.istio-system.svc.cluster.local', port: { number: 15012 } } }],
        },
      ],
    },
  },
];
const GROUP: KubeObject = {
  apiVersion: NETWORKING,
  kind: 'WorkloadGroup',
  metadata: { name: 'orders', namespace: 'vm' },
  spec: {
    metadata: { labels: { app: 'orders' } },
    template: { serviceAccount: 'orders', ports: { http: 8080 } },
    probe: { httpGet: { port: 8080, path: '/healthz' } },
  },
};
const ACCOUNT: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'orders', namespace: 'vm' } };

interface Bench {
  readonly clock: ReturnType<typeof quickClock>;
  readonly api: ClusterApi;
  readonly host: VmHost;
  push(change?: (files: PushFile[]) => PushFile[]): Promise<void>;
  entry(): Promise<KubeObject | undefined>;
  log(): Promise<string>;
}

async function bench({ exposed = true, group = true } = {}): Promise<Bench> {
  const clock = quickClock();
  const { connections, packages } = playground(clock);
  const api = await connections.cluster('playground-istiod');
  const host = await connections.host(VM);
  const objects = [ACCOUNT, ...(group ? [GROUP] : []), ...(exposed ? EXPOSED : [])];
  for (const object of objects) await api.apply(object);
  const sidecar = await packages.fetch({ kind: 'file', path: '/tmp/istio-sidecar-1.31.0.deb' });
  await host.installPackage(
    sidecar,
    { paths: ['/etc/istio', '/var/lib/istio', '/etc/certs'], users: ['istio-proxy'], groups: ['istio-proxy'] },
    { owner: OWNER },
  );
  return {
    clock,
    api,
    host,
    push: async (change = (files) => files) => {
      const directories = [{ path: '/var/run/secrets/tokens', mode: 0o755, owner: 'istio-proxy', group: 'istio-proxy' }];
      await host.push({ owner: OWNER, files: change(await handmade(api)), directories });
    },
    entry: () => api.get({ apiVersion: NETWORKING, kind: 'WorkloadEntry', namespace: 'vm', name: 'orders-10.150.0.103' }),
    log: async () => (await host.run({ argv: ['tail', '-n', '20', LOG], asRoot: true })).stdout,
  };
}

/** What `istioctl x workload entry configure` writes for the group, in short (istiod facts 1.5 - 1.7). */
async function handmade(api: ClusterApi): Promise<PushFile[]> {
  const root = await api.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'vm', name: 'istio-ca-root-cert' });
  const { token } = await api.createToken({ namespace: 'vm', name: 'orders' }, { audiences: ['istio-ca'], expirationSeconds: 3600 });
  const proxy = { owner: 'istio-proxy', group: 'istio-proxy', mode: 0o644 };
  return [
    {
      path: '/var/lib/istio/envoy/cluster.env',
      content: `ISTIO_META_AUTO_REGISTER_GROUP='orders'\nISTIO_META_DNS_CAPTURE='true'\nISTIO_META_NETWORK=''\nISTIO_METAJSON_LABELS='{"app":"orders"}'\nISTIO_NAMESPACE='vm'\nPOD_NAMESPACE='vm'\nSERVICE_ACCOUNT='orders'\n`,
      ...proxy,
    },
    {
      path: '/etc/istio/config/mesh',
      content:
        'defaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n  readinessProbe:\n    httpGet:\n      path: /healthz\n      port: 8080\n',
      ...proxy,
    },
    { path: '/etc/certs/root-cert.pem', content: (root!.data as Record<string, string>)['root-cert.pem'] ?? '', ...proxy },
    { path: '/var/run/secrets/tokens/istio-token', content: token, ...proxy, mode: 0o600 },
    {
      path: '/etc/hosts',
      content: '127.0.0.1 localhost\n10.150.0.10 istiod.istio-system.svc\n',
      owner: 'root',
      group: 'root',
      mode: 0o644,
    },
  ];
}

const marks = (entry: KubeObject | undefined): readonly string[] => Object.keys(entry?.metadata.annotations ?? {}).sort();
const conditions = (entry: KubeObject | undefined) =>
  ((entry?.status as { conditions?: { type: string; status: string; message?: string }[] } | undefined)?.conditions ?? []).map(
    ({ type, status, message }) => [type, status, message],
  );
const without = (path: string) => (files: PushFile[]) => files.filter((file) => file.path !== path);
const withContent = (path: string, content: string) => (files: PushFile[]) =>
  files.map((file) => (file.path === path ? { ...file, content } : file));
const start = { enable: ['istio'], start: ['istio'] };

/** Lets the moments of a start go by. */
async function later(here: Bench): Promise<void> {
  for (let index = 0; index < 20; index += 1) {
    await here.api.version();
    await moments(5);
  }
}

describe('playground with istiod', function () {
  this.timeout(20_000);

  it('registers a machine that connects, gives it a certificate, and says that it is healthy', async () => {
    const here = await bench();
    await here.push();
    await here.host.setUnits(start, { owner: OWNER });
    await later(here);
    const entry = await here.entry();
    // Istiod facts 3.3 and 3.4.
    assert.deepEqual(marks(entry), [
      'istio.io/autoRegistrationGroup',
      'istio.io/connectedAt',
      'istio.io/workloadController',
      'proxy.istio.io/health-checks-enabled',
    ]);
    const { address, serviceAccount, labels, ports } = entry!.spec as Record<string, unknown>;
    assert.deepEqual(
      [address, serviceAccount, labels, ports],
      ['10.150.0.103', 'orders', { app: 'orders', 'networking.istio.io/tunnel': 'http' }, { http: 8080 }],
    );
    assert.deepEqual(conditions(entry), [['Healthy', 'True', undefined]]);
    const { files } = await here.host.probe({
      files: [
        { path: '/etc/certs/cert-chain.pem', want: 'certificate' },
        { path: '/var/run/secrets/tokens/istio-token', want: 'token' },
      ],
    });
    assert.deepEqual(files[0]?.certificate?.uris, ['spiffe://cluster.local/ns/vm/sa/orders']);
    assert.equal(Date.parse(files[0].certificate.notAfter) - Date.parse(files[0].certificate.notBefore), 86_400_000);
    assert.deepEqual([files[1]?.token?.subject, files[1]?.token?.audiences], ['system:serviceaccount:vm:orders', ['istio-ca']]);
    assert.equal((await here.host.run({ argv: ['curl', '-sS', '-f', 'http://localhost:15021/healthz/ready'] })).exitCode, 0);
    const page = await here.host.run({ argv: ['curl', '-sSi', '-m', '5', 'http://productpage.bookinfo.svc.cluster.local:9080/'] });
    assert.match(page.stdout, /server: envoy[^]*Simple Bookstore App/);
    await here.host.installTools(['iptables'], { owner: OWNER });
    const rules = async (): Promise<string> => (await here.host.run({ argv: ['iptables-legacy-save'], asRoot: true })).stdout;
    assert.match(await rules(), /-A OUTPUT -j ISTIO_OUTPUT/);
    await here.host.setUnits({ stop: ['istio'] });
    assert.doesNotMatch(await rules(), /ISTIO_/);
  });

  // Causes and what the log says of them: istiod facts 2.6, recipes (istiod).
  const refusals: [string, Parameters<typeof bench>[0], (files: PushFile[]) => PushFile[], RegExp][] = [
    ['istiod is not exposed', { exposed: false }, (files) => files, /dial tcp 10\.150\.0\.10:15012: connect: connection refused/],
    ['the name does not resolve', {}, withContent('/etc/hosts', '127.0.0.1 localhost\n'), /lookup istiod\.istio-system\.svc.*no such host/],
    [
      'nothing is at the address',
      {},
      withContent('/etc/hosts', '192.0.2.1 istiod.istio-system.svc\n'),
      /dial tcp 192\.0\.2\.1:15012: i\/o timeout/,
    ],
    ['there is no group', { group: false }, (files) => files, /code = FailedPrecondition .*cannot find WorkloadGroup vm\/orders/],
    ['the token is missing', {}, without('/var/run/secrets/tokens/istio-token'), /failed to fetch token from file/],
    [
      'the token is nobody’s',
      {},
      withContent('/var/run/secrets/tokens/istio-token', 'a.b.c'),
      /code = Unauthenticated desc = request authenticate failure/,
    ],
    ['the root is not the mesh’s', {}, withContent('/etc/certs/root-cert.pem', 'x'), /x509: certificate signed by unknown authority/],
  ];
  for (const [cause, options, change, line] of refusals)
    it(`connects no machine when ${cause}, and says so in its log`, async () => {
      const here = await bench(options);
      await here.push(change);
      const [unit] = await here.host.setUnits(start, { owner: OWNER });
      await later(here);
      assert.equal(unit?.active, 'active');
      assert.equal(await here.entry(), undefined);
      assert.match(await here.log(), line);
      assert.equal((await here.host.run({ argv: ['curl', '-sS', '-f', 'http://localhost:15021/healthz/ready'] })).exitCode, 22);
    });

  it('connects a machine that waits once istiod is exposed', async () => {
    const here = await bench({ exposed: false });
    await here.push();
    await here.host.setUnits(start, { owner: OWNER });
    await later(here);
    assert.equal(await here.entry(), undefined);
    for (const object of EXPOSED) await here.api.apply(object);
    await later(here);
    assert.ok(marks(await here.entry()).includes('istio.io/connectedAt'));
  });

  it('sees an application die and come back, and a machine leave', async () => {
    const here = await bench();
    await here.push();
    await here.host.setUnits(start, { owner: OWNER });
    await later(here);
    await here.host.setUnits({ stop: ['orders'] });
    assert.deepEqual(conditions(await here.entry()), [
      ['Healthy', 'False', 'Get "http://10.150.0.103:8080/healthz": dial tcp 10.150.0.103:8080: connect: connection refused'],
    ]);
    await here.host.setUnits({ start: ['orders'] });
    assert.deepEqual(conditions(await here.entry()), [['Healthy', 'True', undefined]]);
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = here.api.watch(
      { apiVersion: NETWORKING, kind: 'WorkloadEntry' },
      ({ type, object }) =>
        seen.push(
          `${type} ${marks(object)
            .filter((mark) => mark.endsWith('onnectedAt'))
            .join()}`,
        ),
      { signal: stop.signal },
    );
    await moments();
    await here.host.setUnits({ stop: ['istio'] });
    await later(here);
    stop.abort();
    await watching;
    assert.deepEqual(seen, ['ADDED istio.io/connectedAt', 'MODIFIED istio.io/disconnectedAt', 'DELETED istio.io/disconnectedAt']);
    assert.equal(await here.entry(), undefined);
  });

  it('needs a fresh token after its certificate is over, and one of the account that is there', async () => {
    const here = await bench();
    await here.push();
    await here.host.setUnits(start, { owner: OWNER });
    await later(here);
    await here.host.setUnits({ stop: ['istio'] });
    here.clock.advance(25 * 3_600_000);
    await here.host.setUnits({ start: ['istio'] });
    await later(here);
    assert.match(await here.log(), /cert expired, using token instead[^]*request authenticate failure/);
    assert.equal(await here.entry(), undefined);
    const [, , , token] = await handmade(here.api);
    await here.api.delete({ apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'vm', name: 'orders' });
    await here.api.apply(ACCOUNT);
    await here.host.push({ owner: OWNER, files: [token!] });
    await later(here);
    assert.equal(await here.entry(), undefined);
    await here.push();
    here.clock.advance(5000);
    await later(here);
    assert.ok(marks(await here.entry()).includes('istio.io/connectedAt'));
  });

  it('renews a certificate at half of its life', async () => {
    const here = await bench();
    await here.push();
    await here.host.setUnits(start, { owner: OWNER });
    await later(here);
    const serial = async (): Promise<string> =>
      new X509Certificate((await here.host.run({ argv: ['cat', '/etc/certs/cert-chain.pem'], asRoot: true })).stdout).serialNumber;
    const first = await serial();
    here.clock.advance(11 * 3_600_000);
    assert.equal(await serial(), first);
    here.clock.advance(2 * 3_600_000);
    await later(here);
    assert.notEqual(await serial(), first);
  });

  it('loses its token at a reboot and comes back by its certificate', async () => {
    const here = await bench();
    await here.push();
    await here.host.setUnits(start, { owner: OWNER });
    await later(here);
    await here.host.run({ argv: ['systemctl', 'reboot'], asRoot: true });
    await later(here);
    const { files } = await here.host.probe({ files: [{ path: '/var/run/secrets/tokens/istio-token' }] });
    assert.equal(files[0]?.exists, false);
    assert.ok(marks(await here.entry()).includes('istio.io/connectedAt'));
  });

  it('refuses what the rules of Istio’s kinds refuse', async () => {
    const { api } = await bench();
    const group = (spec: object): KubeObject => ({ ...GROUP, metadata: { name: 'wrong', namespace: 'vm' }, spec });
    const entry = (spec: object): KubeObject => ({
      apiVersion: NETWORKING,
      kind: 'WorkloadEntry',
      metadata: { name: 'wrong', namespace: 'vm' },
      spec,
    });
    // Istiod facts 3.5.
    for (const object of [
      group({}),
      group({ template: { ports: { http: 70_000 } } }),
      group({ template: {}, probe: { tcpSocket: { port: 1 }, exec: { command: ['x'] } } }),
      group({ template: {}, prob: {} }),
      entry({}),
      entry({ address: 'unix:///x', ports: { http: 1 } }),
      { apiVersion: NETWORKING, kind: 'ServiceEntry', metadata: { name: 'wrong', namespace: 'vm' }, spec: { hosts: [] } },
    ])
      await assert.rejects(api.apply(object), (error: unknown) => isMeshError(error, 'kube.invalid'), JSON.stringify(object));
    await api.apply(entry({ network: 'other' }));
  });

  it('takes no package of another generation', async () => {
    const clock = quickClock();
    const { connections, packages } = playground(clock);
    const old = await packages.fetch({ kind: 'file', path: '/tmp/istio-sidecar.deb' });
    const host = await connections.host(VM);
    await assert.rejects(host.installPackage(old, { paths: [], users: [], groups: [] }), (error: unknown) =>
      isMeshError(error, 'host.package'),
    );
  });
});
