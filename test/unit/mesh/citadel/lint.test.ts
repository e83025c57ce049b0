import assert from 'node:assert/strict';
import { generate } from '../../../../src/mesh/citadel/generate.ts';
import { citadelFindings } from '../../../../src/mesh/lint/citadel.ts';
import type { GeneratedFile, ServiceEntry, VmEntry } from '../../../../src/mesh/model.ts';
import type { HostState } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { balancers, makeCertificates, secret, serviceEntry, vmEntry, vmScope, type TestCertificates } from './support.ts';

const cluster = '/var/lib/istio/envoy/cluster.env';
const sidecar = '/var/lib/istio/envoy/sidecar.env';
const kubedns = '/etc/dnsmasq.d/kubedns';

describe('citadel findings', function () {
  this.timeout(60_000);
  let certificates: TestCertificates;
  before(() => {
    certificates = makeCertificates();
  });

  interface Case {
    readonly release?: string;
    readonly edits?: Readonly<Record<string, (text: string) => string>>;
    readonly state?: Partial<HostState>;
    readonly services?: readonly ServiceEntry[];
    readonly vm?: VmEntry;
    readonly with?: TestCertificates;
  }

  async function rules({ release = '1.0.3', edits = {}, state, services, vm, with: made = certificates }: Case): Promise<string[]> {
    const ca = ['0.5.1', '0.7.1'].includes(release) ? 'istio-ca-ilb' : 'citadel-ilb';
    const scope = vmScope(new MemoryCluster(...balancers(ca), secret(made)), release, { address: '10.150.0.5', services, vm });
    const files = (await generate(scope)).map((file): GeneratedFile => {
      const edit = edits[file.path];
      return edit === undefined || file.content.kind !== 'text'
        ? file
        : { ...file, content: { ...file.content, text: edit(file.content.text) } };
    });
    const whole = state === undefined ? undefined : { files: [], units: [], packages: [], programs: {}, ...state };
    return citadelFindings(scope, files, whole).map(
      ({ rule, severity, at }) => `${severity} ${rule}${at.line === undefined ? '' : ` ${at.line}`}`,
    );
  }

  it('are none for files as generated', async () => {
    assert.deepEqual(await rules({}), []);
    assert.deepEqual(await rules({ release: '1.4.10' }), []);
  });

  it('see edits of cluster.env', async () => {
    assert.deepEqual(await rules({ edits: { [cluster]: (text) => text.replace('10.63.240.0/20', '') } }), ['error citadel.cidr-empty 0']);
    assert.deepEqual(await rules({ edits: { [cluster]: (text) => text.replace('/20', '/99') } }), ['error citadel.cidr-invalid 0']);
    assert.deepEqual(await rules({ edits: { [cluster]: (text) => text.replace('ISTIO_CP_AUTH', 'CONTROL_PLANE_AUTH_POLICY') } }), [
      'warning citadel.auth-variable 2',
    ]);
    assert.deepEqual(await rules({ edits: { [cluster]: (text) => text.replace('MUTUAL_TLS', 'NONE') } }), ['error citadel.auth-port']);
  });

  it('know where a release does not read what its script writes', async () => {
    assert.deepEqual(await rules({ release: '0.8.0' }), ['warning citadel.auth-unread 2']);
    assert.deepEqual(await rules({ release: '0.7.1' }), ['warning citadel.auth-port']);
    assert.deepEqual(await rules({ release: '0.5.1', edits: { [sidecar]: (text) => `${text}ISTIO_PILOT_PORT=15003\n` } }), []);
  });

  it('see edits of kubedns', async () => {
    assert.deepEqual(await rules({ edits: { [kubedns]: (text) => text.replace('address=/istio-citadel/10.150.0.9\n', '') } }), [
      'warning citadel.kubedns-names 0',
    ]);
    assert.deepEqual(await rules({ edits: { [kubedns]: (text) => text.replace('/istio-pilot/10.150.0.6', '/istio-pilot/') } }), [
      'error citadel.kubedns-address 3',
    ]);
  });

  it('see edits of sidecar.env', async () => {
    const add = (line: string) => ({ [sidecar]: (text: string) => `${text}${line}\n` });
    assert.deepEqual(await rules({ edits: add('ISTIO_INBOUND_EXCLUDE_PORTS=22') }), ['warning citadel.exclude-ports 2']);
    assert.deepEqual(await rules({ edits: add('ISTIO_INBOUND_PORTS=22,80') }), ['warning citadel.port-22 2']);
    assert.deepEqual(await rules({ edits: add('ISTIO_INBOUND_PORTS=http') }), ['error citadel.ports-invalid 2']);
    assert.deepEqual(await rules({ edits: add('ISTIO_CP_AUTH=NONE') }), ['warning citadel.variable-in-both 2']);
    assert.deepEqual(await rules({ edits: add('ISTIO_NAMESPACE=default') }), ['error citadel.namespace-mismatch 2']);
    assert.deepEqual(await rules({ edits: add('ISTIO_SVC_IP=127.0.1.1') }), ['error citadel.address-mismatch 2']);
  });

  it('see services that do not fit their VM', async () => {
    const port = (name: string, number: number) => ({ name, port: number, targetPort: number, protocol: 'TCP' as const });
    const fitting = { namespace: 'vm', ports: [port('http', 7000)] };
    assert.deepEqual(await rules({ services: [serviceEntry(fitting)] }), []);
    assert.deepEqual(await rules({ services: [serviceEntry({ ...fitting, namespace: 'onprem' })] }), ['warning citadel.service-namespace']);
    assert.deepEqual(await rules({ services: [serviceEntry({ ...fitting, ports: [port('7000', 7000)] })] }), [
      'info citadel.port-name-protocol',
    ]);
    assert.deepEqual(await rules({ services: [serviceEntry({ ...fitting, ports: [port('http', 80), port('http', 81)] })] }), [
      'error citadel.port-name-twice',
    ]);
    assert.deepEqual(await rules({ services: [serviceEntry({ ...fitting, serviceAccount: 'db' })] }), ['warning citadel.service-account']);
    assert.deepEqual(await rules({ services: [serviceEntry(fitting)], vm: vmEntry({ inboundPorts: [3306] }) }), [
      'info citadel.port-not-captured',
    ]);
  });

  it('see a root that ends soon', async () => {
    assert.deepEqual(await rules({ with: makeCertificates({ to: 10, rootTo: 20 }) }), ['warning citadel.root-ends']);
  });

  it('see what is wrong on the VM', async () => {
    const unit = { name: 'istio', load: 'loaded', active: 'active', sub: 'running', enabled: 'disabled', restarts: 0 } as const;
    const manifest = {
      version: 1,
      owner: { vm: 'db-1', cluster: 'prod', era: 'citadel', release: '1.0.3' },
      generation: 1,
      files: [],
      packages: [],
      units: [],
      created: { paths: [], users: [], groups: [] },
    } as const;
    assert.deepEqual(await rules({ state: { files: [{ path: '/etc/certs/key.pem', exists: true, mode: 0o644 }] } }), [
      'error citadel.key-mode',
    ]);
    assert.deepEqual(await rules({ state: { units: [unit], manifest } }), ['warning citadel.unit-not-enabled']);
    assert.deepEqual(await rules({ state: { packages: [{ name: 'istio-sidecar', version: '1.4.2-1' }] } }), [
      'error citadel.package-defect',
    ]);
    const certificate = {
      subject: '',
      issuer: '',
      uris: ['spiffe://cluster.local/ns/other/sa/default'],
      notBefore: '',
      notAfter: '2020-01-01T00:00:00Z',
      fingerprint: '',
    };
    assert.deepEqual(await rules({ state: { files: [{ path: '/etc/certs/cert-chain.pem', exists: true, certificate }] } }), [
      'error citadel.certificate-expired',
      'error citadel.certificate-identity',
    ]);
  });
});
