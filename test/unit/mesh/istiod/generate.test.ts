import assert from 'node:assert/strict';
import { generate, hostInputs } from '../../../../src/mesh/istiod/generate.ts';
import type { HostManifest, RemoteFile } from '../../../../src/mesh/ports.ts';
import type { ClusterEntry, GeneratedFile } from '../../../../src/mesh/model.ts';
import { clusterEntry, coded, gateway, NOW, object, PLANE, vmScope, world } from './support.ts';

const file = (files: readonly GeneratedFile[], path: string): GeneratedFile => files.find((one) => one.path === path) ?? assert.fail(path);
const text = (files: readonly GeneratedFile[], path: string): string => {
  const { content } = file(files, path);
  return content.kind === 'text' ? content.text : assert.fail(content.kind);
};
const hours = (count: number): string => new Date(NOW.getTime() + count * 3_600_000).toISOString();
const certificate = (from: number, to: number, account = 'mysql'): RemoteFile => ({
  path: '/etc/certs/cert-chain.pem',
  exists: true,
  certificate: {
    subject: '',
    issuer: 'O=cluster.local',
    uris: [`spiffe://cluster.local/ns/vm/sa/${account}`],
    notBefore: hours(from),
    notAfter: hours(to),
    fingerprint: '',
  },
});
const token = (left: number, more: Partial<NonNullable<RemoteFile['token']>> = {}): RemoteFile => ({
  path: '/var/run/secrets/tokens/istio-token',
  exists: true,
  token: { subject: 'system:serviceaccount:vm:mysql', audiences: ['istio-ca'], expiresAt: hours(left), ...more },
});
const hosts = (content: string): RemoteFile => ({ path: '/etc/hosts', exists: true, text: content });

describe('files of a VM of istiod', () => {
  // By hand from istiod facts 1.5 - 1.7.
  it('are what the facts say', async () => {
    const files = await generate(vmScope(world()));
    assert.equal(
      text(files, '/var/lib/istio/envoy/cluster.env'),
      [
        "CANONICAL_REVISION='latest'",
        "CANONICAL_SERVICE='mysql'",
        "ISTIO_INBOUND_PORTS='3306'",
        "ISTIO_LOCAL_EXCLUDE_PORTS='22,15090,15021,15020'",
        `ISTIO_METAJSON_LABELS='{"app":"mysql","service.istio.io/canonical-name":"mysql","service.istio.io/canonical-revision":"latest"}'`,
        "ISTIO_META_AUTO_REGISTER_GROUP='mysql'",
        "ISTIO_META_CLUSTER_ID='Kubernetes'",
        "ISTIO_META_DNS_CAPTURE='true'",
        "ISTIO_META_MESH_ID=''",
        "ISTIO_META_NETWORK=''",
        `ISTIO_META_POD_PORTS='[{"name":"mysql","containerPort":3306,"protocol":""}]'`,
        "ISTIO_META_WORKLOAD_NAME='mysql'",
        "ISTIO_NAMESPACE='vm'",
        "ISTIO_SERVICE='mysql.vm'",
        "ISTIO_SERVICE_CIDR='*'",
        "ISTIO_SVC_IP='10.0.0.5'",
        "POD_NAMESPACE='vm'",
        "SERVICE_ACCOUNT='mysql'",
        "TRUST_DOMAIN='cluster.local'",
        '',
      ].join('\n'),
    );
    assert.match(
      text(files, '/etc/istio/config/mesh'),
      /^defaultConfig:\n {2}discoveryAddress: istiod\.istio-system\.svc:15012\n {2}proxyMetadata:\n/,
    );
    assert.equal(text(files, '/etc/hosts'), '192.0.2.7 istiod.istio-system.svc\n');
  });

  it('have owners and modes that keep the token to the agent', async () => {
    const files = await generate(vmScope(world()));
    assert.deepEqual(
      files.map(({ path, mode, owner, readBy }) => [path, mode.toString(8), owner, readBy.join()]),
      [
        ['/var/lib/istio/envoy/cluster.env', '644', 'istio-proxy', 'istio'],
        ['/etc/istio/config/mesh', '644', 'istio-proxy', 'istio'],
        ['/etc/certs/root-cert.pem', '644', 'istio-proxy', 'istio'],
        ['/var/run/secrets/tokens/istio-token', '600', 'istio-proxy', ''],
        ['/etc/hosts', '644', 'root', 'istio'],
      ],
    );
  });

  it('name the entry where istiod does not make it', async () => {
    const env = text(await generate(vmScope(world(), { vm: { autoRegister: false, name: 'DB_1' } })), '/var/lib/istio/envoy/cluster.env');
    assert.match(env, /^ISTIO_META_WORKLOAD_ENTRY='mysql-db-1'$/m);
    assert.doesNotMatch(env, /AUTO_REGISTER/);
  });

  it('change the hosts file in its one line, and twice the same', async () => {
    const before =
      '127.0.0.1 localhost\n198.51.100.1   istiod.istio-system.svc\n# by hand\n10.0.0.9 a istiod.istio-system.svc b # note\n10.0.0.1 db-1';
    const once = text(await generate(vmScope(world(), { files: [hosts(before)] })), '/etc/hosts');
    assert.equal(once, '127.0.0.1 localhost\n192.0.2.7 istiod.istio-system.svc\n# by hand\n10.0.0.9 a b # note\n10.0.0.1 db-1\n');
    assert.equal(text(await generate(vmScope(world(), { files: [hosts(once)] })), '/etc/hosts'), once);
  });

  it('take the address that the VM resolves, and stay with it while it is one of them', async () => {
    const entry = clusterEntry({ ingress: { service: 'istio-eastwestgateway', address: 'gw.example' } });
    assert.deepEqual(hostInputs(vmScope(world(), { entry }), vmScope(world()).vm).resolve, ['gw.example']);
    const made = async (present: string, addresses: readonly string[]) =>
      text(await generate(vmScope(world(), { entry, files: [hosts(present)], resolved: { 'gw.example': addresses } })), '/etc/hosts');
    assert.equal(await made('', ['2001:db8::1', '192.0.2.1', '192.0.2.2']), '192.0.2.1 istiod.istio-system.svc\n');
    assert.equal(await made('192.0.2.2 istiod.istio-system.svc\n', ['192.0.2.1', '192.0.2.2']), '192.0.2.2 istiod.istio-system.svc\n');
    assert.equal(await made('192.0.2.9 istiod.istio-system.svc\n', ['192.0.2.1']), '192.0.2.1 istiod.istio-system.svc\n');
    await assert.rejects(made('', []), coded('istiod.gateway-unresolved', 'ingress.address'));
  });

  // By hand from istiod facts 2.3, 2.4, and seen on a machine of the lab: CA_ADDR and discoveryAddress name the gateway, /etc/hosts does not name istiod.
  it('call istiod by the host name of the gateway where the inventory says so', async () => {
    const entry = clusterEntry({ ingress: { service: 'istio-eastwestgateway', hostname: 'san' } });
    const api = world(gateway([{ hostname: 'a1.elb.example' }]));
    // A line that a person wrote is none of ours.
    const present = '127.0.0.1 localhost\n192.0.2.7 istiod.istio-system.svc\n10.0.0.9 istiod.istio-system.svc\n';
    const scope = vmScope(api, { entry, files: [hosts(present)] });
    const pushed = { files: [{ path: '/etc/hosts', ownLines: ['192.0.2.7 istiod.istio-system.svc'] }] } as unknown as HostManifest;
    const files = await generate({ ...scope, state: { ...(scope.state ?? assert.fail()), manifest: pushed } });
    assert.equal(text(files, '/etc/hosts'), '127.0.0.1 localhost\n10.0.0.9 istiod.istio-system.svc\n');
    assert.equal(text(await generate(scope), '/etc/hosts'), present);
    const lines = text(files, '/var/lib/istio/envoy/cluster.env').split('\n');
    assert.deepEqual(
      lines.filter((line) => /^(CA_ADDR|ISTIOD_SAN)=/.test(line)),
      ["CA_ADDR='a1.elb.example:15012'", "ISTIOD_SAN='a1.elb.example'"],
    );
    assert.match(text(files, '/etc/istio/config/mesh'), /^ {2}discoveryAddress: a1\.elb\.example:15012$/m);
    const { content } = file(files, '/var/lib/istio/envoy/cluster.env');
    const [source] = content.kind === 'text' ? (content.sources[lines.indexOf("ISTIOD_SAN='a1.elb.example'")] ?? []) : [];
    assert.deepEqual(
      [source?.from.kind, source?.from.kind === 'object' && source.from.field],
      ['object', 'status.loadBalancer.ingress[0].hostname'],
    );
    const offline = await generate(vmScope(api, { entry }));
    assert.ok(offline.every(({ path }) => path !== '/etc/hosts'));
    await assert.rejects(generate(vmScope(world(), { entry })), coded('istiod.gateway-no-name', 'ingress.hostname'));
  });

  // By hand from istio-start.sh: it looks for istiod in istio-system (istiod facts 2.3); up to 1.11 also for discovery, whatever mesh.yaml says.
  it('say where istiod is where the start script would look elsewhere', async () => {
    const addresses = async (entry: ClusterEntry, release: string, mesh = '') => {
      const { namespace } = entry.istio;
      const api = world(
        object('ConfigMap', 'istio', namespace, { data: { mesh } }),
        object('ConfigMap', 'istio-r1', namespace, { data: { mesh } }),
        object('ConfigMap', 'istio-sidecar-injector', namespace, { data: { values: '{}' } }),
        object('ConfigMap', 'istio-sidecar-injector-r1', namespace, { data: { values: '{}' } }),
        object('Service', 'istio-eastwestgateway', namespace, { status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } }),
        object('WorkloadGroup', 'mysql', 'vm', { apiVersion: 'networking.istio.io/v1alpha3', spec: { template: {} } }),
      );
      const files = await generate(vmScope(api, { entry, controlPlane: { ...PLANE, release } }));
      const lines = text(files, '/var/lib/istio/envoy/cluster.env').split('\n');
      return lines.filter((line) => /^(CA_ADDR|PILOT_ADDRESS)=/.test(line));
    };
    const istio = (namespace: string, revision?: string) =>
      clusterEntry({ istio: { namespace, clusterId: 'Kubernetes', ...(revision === undefined ? {} : { revision }) } });
    assert.deepEqual(await addresses(istio('istio-system'), '1.31.0'), []);
    assert.deepEqual(await addresses(istio('istio-system'), '1.11.8'), []);
    assert.deepEqual(await addresses(istio('mesh'), '1.31.0'), ["CA_ADDR='istiod.mesh.svc:15012'"]);
    assert.deepEqual(await addresses(istio('mesh'), '1.31.0', 'defaultConfig: {proxyMetadata: {CA_ADDR: "csr.mesh.svc:443"}}'), [
      "CA_ADDR='csr.mesh.svc:443'",
    ]);
    const revised = ["CA_ADDR='istiod-r1.istio-system.svc:15012'"];
    assert.deepEqual(await addresses(istio('istio-system', 'r1'), '1.12.0'), revised);
    assert.deepEqual(await addresses(istio('istio-system', 'r1'), '1.11.8'), [
      ...revised,
      "PILOT_ADDRESS='istiod-r1.istio-system.svc:15012'",
    ]);
  });

  it('are refused where nothing good could be written', async () => {
    const without = (kind: string, name: string, namespace: string) => {
      const api = world();
      api.objects.delete(`${kind} ${namespace}/${name}`);
      return generate(vmScope(api));
    };
    await assert.rejects(without('Service', 'istio-eastwestgateway', 'istio-system'), coded('istiod.gateway-missing'));
    await assert.rejects(generate(vmScope(world(gateway([])))), coded('istiod.gateway-pending'));
    await assert.rejects(without('WorkloadGroup', 'mysql', 'vm'), coded('istiod.group-missing', 'workloadGroup'));
    await assert.rejects(without('ConfigMap', 'istio', 'istio-system'), coded('istiod.config-map'));
    await assert.rejects(without('ConfigMap', 'istio-sidecar-injector', 'istio-system'), coded('istiod.cluster-id', 'istio.clusterId'));
    await assert.rejects(generate(vmScope(world(), { vm: { workloadGroup: undefined } })), coded('istiod.no-group', 'workloadGroup'));
    const networks = object('ConfigMap', 'istio', 'istio-system', { data: { mesh: '', meshNetworks: 'networks: {' } });
    assert.equal((await generate(vmScope(world(networks)))).length, 5, 'networks that cannot be read are in no file');
    const limits = [{ id: 'remote', text: { id: 'istiod.limit.remote', args: {} }, blocking: true }];
    await assert.rejects(generate(vmScope(world(), { controlPlane: { ...PLANE, limits } })), coded('istiod.limit'));
  });

  it('want a token only where neither certificate nor token lasts', async () => {
    const wanted = async (...files: readonly RemoteFile[]): Promise<boolean> => {
      const { content } = file(await generate(vmScope(world(), { files })), '/var/run/secrets/tokens/istio-token');
      return content.kind === 'minted' ? content.wanted : assert.fail(content.kind);
    };
    assert.equal(await wanted(), true);
    assert.equal(await wanted(certificate(-12, 12)), false);
    assert.equal(await wanted(certificate(-23, 1)), true);
    assert.equal(await wanted(certificate(-25, -1)), true);
    assert.equal(await wanted(certificate(-12, 12, 'other')), true);
    assert.equal(await wanted(certificate(-25, -1), token(0.5)), false);
    assert.equal(await wanted(token(-0.5)), true);
    assert.equal(await wanted(token(0.5, { subject: 'system:serviceaccount:vm:other' })), true);
    assert.equal(await wanted(token(0.5, { audiences: ['api'] })), true);
  });
});
