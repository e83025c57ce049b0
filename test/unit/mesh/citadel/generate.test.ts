import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { generate } from '../../../../src/mesh/citadel/generate.ts';
import { releaseFacts, releaseTable } from '../../../../src/mesh/citadel/releases.ts';
import type { GeneratedFile } from '../../../../src/mesh/model.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { balancer, balancers, clusterEntry, coded, makeCertificates, secret, vmEntry, vmScope, type TestCertificates } from './support.ts';

const expectedFolder = new URL('./expected/', import.meta.url);
const releases = readdirSync(expectedFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const expected = (release: string, name: string): string => readFileSync(new URL(`./${release}/${name}`, expectedFolder), 'utf8');

function text(files: readonly GeneratedFile[], path: string): string {
  const content = files.find((file) => file.path === path)?.content;
  if (content?.kind !== 'text') assert.fail(`${path} is no text`);
  return content.text;
}

describe('citadel files', function () {
  this.timeout(60_000);
  let certificates: TestCertificates;
  before(() => {
    certificates = makeCertificates();
  });
  const cluster = (ca?: string, namespace?: string): MemoryCluster => new MemoryCluster(...balancers(ca, namespace), secret(certificates));
  const caOf = (release: string): string => releaseFacts(release)?.balancers.find(({ role }) => role === 'citadel')?.name ?? '';

  it('have expected files for every row of the release table', () => {
    const covered = new Set(releases.map((release) => releaseFacts(release)?.release));
    assert.deepEqual(
      releaseTable.map(({ release }) => release).filter((release) => !covered.has(release)),
      [],
    );
  });

  for (const release of releases) {
    it(`are what the scripts of ${release} write`, async () => {
      const files = await generate(vmScope(cluster(caOf(release)), release));
      assert.equal(text(files, '/etc/dnsmasq.d/kubedns'), expected(release, 'kubedns'));
      assert.equal(text(files, '/var/lib/istio/envoy/cluster.env'), expected(release, 'cluster.env'));
    });
  }

  it('follow another namespace, a policy of NONE, several ranges and another domain', async () => {
    const entry = clusterEntry({
      istio: { namespace: 'mesh', controlPlaneAuth: 'NONE' },
      serviceCidr: ['10.63.240.0/20', '10.64.0.0/16'],
      clusterDomain: 'corp.example',
    });
    const files = await generate(vmScope(cluster('citadel-ilb', 'mesh'), '1.0.3', { entry }));
    assert.equal(
      text(files, '/var/lib/istio/envoy/cluster.env'),
      'ISTIO_SERVICE_CIDR=10.63.240.0/20,10.64.0.0/16\nISTIO_SYSTEM_NAMESPACE=mesh\nISTIO_CP_AUTH=NONE\n',
    );
    const kubedns = text(files, '/etc/dnsmasq.d/kubedns').split('\n');
    assert.equal(kubedns[0], 'server=/svc.corp.example/10.150.0.7');
    assert.ok(kubedns.includes('address=/istio-pilot.mesh/10.150.0.6'));
    assert.equal(kubedns.filter((line) => line.includes('istio-system')).length, 0);
    // Plain authentication needs Pilot's plain port (facts 4).
    assert.equal(text(files, '/var/lib/istio/envoy/sidecar.env'), 'ISTIO_NAMESPACE=vm\nISTIO_PILOT_PORT=15010\n');
  });

  it('take the policy from the mesh ConfigMap', async () => {
    const api = cluster();
    api.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: 'enableTracing: true\ndefaultConfig:\n  controlPlaneAuthPolicy: NONE\n' },
    });
    const files = await generate(vmScope(api, '1.0.3'));
    assert.equal(text(files, '/var/lib/istio/envoy/cluster.env').split('\n')[2], 'ISTIO_CP_AUTH=NONE');
  });

  it('tell ports and address to the sidecar', async () => {
    const vm = vmEntry({ inboundPorts: [3306, 8080] });
    const online = await generate(vmScope(cluster(), '1.0.3', { vm, address: '10.150.0.5' }));
    assert.equal(
      text(online, '/var/lib/istio/envoy/sidecar.env'),
      'ISTIO_INBOUND_PORTS=3306,8080\nISTIO_NAMESPACE=vm\nISTIO_SVC_IP=10.150.0.5\n',
    );
    const offline = await generate(vmScope(cluster(), '1.0.3', { vm: vmEntry({ inboundPorts: '*' }) }));
    assert.equal(text(offline, '/var/lib/istio/envoy/sidecar.env'), 'ISTIO_INBOUND_PORTS=*\nISTIO_NAMESPACE=vm\n');
  });

  it('are merged into what is on the VM', async () => {
    const onHost =
      '# Comment that stays\nISTIO_SERVICE=db\nISTIO_NAMESPACE=default\n# ISTIO_INBOUND_PORTS=1\nISTIO_LOCAL_EXCLUDE_PORTS="22,80"';
    const state = {
      files: [{ path: '/var/lib/istio/envoy/sidecar.env', exists: true, text: onHost }],
      units: [],
      packages: [],
      programs: {},
    };
    const files = await generate(vmScope(cluster(), '1.0.3', { vm: vmEntry({ inboundPorts: [3306] }), state }));
    assert.equal(
      text(files, '/var/lib/istio/envoy/sidecar.env'),
      '# Comment that stays\nISTIO_SERVICE=db\nISTIO_NAMESPACE=vm\n# ISTIO_INBOUND_PORTS=1\nISTIO_LOCAL_EXCLUDE_PORTS="22,80"\nISTIO_INBOUND_PORTS=3306\n',
    );
  });

  it('have owners and modes', async () => {
    const files = await generate(vmScope(cluster(), '1.0.3'));
    assert.deepEqual(
      files.map(({ path, owner, mode }) => `${mode.toString(8)} ${owner} ${path}`),
      [
        '644 root /etc/dnsmasq.d/kubedns',
        '644 istio-proxy /var/lib/istio/envoy/cluster.env',
        '644 istio-proxy /var/lib/istio/envoy/sidecar.env',
        '644 istio-proxy /etc/certs/root-cert.pem',
        '644 istio-proxy /etc/certs/cert-chain.pem',
        '600 istio-proxy /etc/certs/key.pem',
      ],
    );
  });

  it('say where each line came from', async () => {
    const files = await generate(vmScope(cluster(), '1.0.3'));
    const content = files[0]!.content;
    assert.ok(content.kind === 'text');
    const [source] = content.sources[3]!;
    assert.equal(source!.value, '10.150.0.6');
    assert.deepEqual(source!.from, {
      kind: 'object',
      object: { apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name: 'istio-pilot-ilb' },
      field: 'status.loadBalancer.ingress[0].ip',
    });
    for (const { content: one } of files) if (one.kind === 'text') assert.equal(one.sources.length, one.text.split('\n').length - 1);
  });

  it('show no key', async () => {
    const files = await generate(vmScope(cluster(), '1.0.3'));
    assert.ok(!JSON.stringify(files).includes('PRIVATE KEY'));
    assert.ok(!JSON.stringify(files).includes('CERTIFICATE-----'));
  });

  it('are refused where they would be nonsense', async () => {
    const empty = cluster();
    empty.cidrs = [];
    await assert.rejects(generate(vmScope(empty, '1.0.3')), coded('citadel.cidr-empty'));
    const six = clusterEntry({ serviceCidr: ['fd00::/108'] });
    await assert.rejects(generate(vmScope(cluster(), '1.0.3', { entry: six })), coded('citadel.ipv6'));
    await assert.rejects(generate(vmScope(cluster(), '1.0.3', { address: 'fd00::5' })), coded('citadel.ipv6'));
    const wrong = clusterEntry({ serviceCidr: ['10.63.240.0/33'] });
    await assert.rejects(generate(vmScope(cluster(), '1.0.3', { entry: wrong })), coded('citadel.cidr-invalid'));
  });

  it('take the IPv4 range of a cluster with both families', async () => {
    const api = cluster();
    api.cidrs = ['10.63.240.0/20', 'fd00::/108'];
    assert.match(
      text(await generate(vmScope(api, '1.0.3')), '/var/lib/istio/envoy/cluster.env'),
      /^ISTIO_SERVICE_CIDR=10\.63\.240\.0\/20\n/,
    );
  });

  it('need all four addresses', async () => {
    const pending = cluster();
    pending.put(balancer('istio-system', 'mixer-ilb', undefined));
    await assert.rejects(generate(vmScope(pending, '1.0.3')), coded('cluster.balancer-pending'));
    pending.put({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'mixer-ilb.1', namespace: 'istio-system' },
      involvedObject: { kind: 'Service', name: 'mixer-ilb' },
      reason: 'SyncLoadBalancerFailed',
      message: 'quota exceeded',
      lastTimestamp: '2026-01-01T00:00:00Z',
    });
    await assert.rejects(generate(vmScope(pending, '1.0.3')), coded('cluster.balancer-pending', 'cluster.balancer-pending-event'));
    const missing = cluster();
    await missing.delete({ apiVersion: 'v1', kind: 'Service', namespace: 'kube-system', name: 'dns-ilb' });
    await assert.rejects(generate(vmScope(missing, '1.0.3')), coded('cluster.balancer-missing'));
    const hostname = cluster();
    hostname.put({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'mixer-ilb', namespace: 'istio-system' },
      status: { loadBalancer: { ingress: [{ hostname: 'x.elb.example' }] } },
    });
    await assert.rejects(generate(vmScope(hostname, '1.0.3')), coded('cluster.balancer-hostname'));
  });
});
