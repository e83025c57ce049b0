import assert from 'node:assert/strict';
import { facts as anyHost } from '../host/support.ts';
import type { VmScope } from '../../../../src/mesh/era.ts';
import { pinned } from '../../../../src/mesh/istiod/detect.ts';
import { istiodFindings } from '../../../../src/mesh/lint/istiod.ts';
import type { GeneratedFile, ServiceEntry, VmEntry } from '../../../../src/mesh/model.ts';
import type { HostFacts, HostState } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { clusterEntry, serviceEntry, testPorts } from '../citadel/support.ts';

const NOW = new Date('2026-01-02T00:00:00Z');
const vm: VmEntry = { name: 'db-1', host: 'db-1', cluster: 'prod', namespace: 'vm', serviceAccount: 'mysql', workloadGroup: 'mysql' };
const ENV = "ISTIO_INBOUND_PORTS='*'\nISTIO_LOCAL_EXCLUDE_PORTS='22,15090,15021,15020'\nISTIO_META_DNS_CAPTURE='true'\n";
const TCP_PROBE = 'defaultConfig:\n  readinessProbe:\n    tcpSocket:\n      port: 3306\n';
const facts: HostFacts = { ...anyHost, addresses: [{ address: '10.0.0.5', interface: 'eth0' }] };
const manifest: HostState['manifest'] = {
  version: 1,
  owner: { vm: 'db-1', cluster: 'prod', era: 'istiod', release: '1.31.0' },
  generation: 1,
  files: [],
  packages: [],
  units: [],
  created: { paths: [], users: [], groups: [] },
};

function text(path: string, content: string): GeneratedFile {
  return {
    ...{ path, mode: 0o644, owner: 'istio-proxy', group: 'istio-proxy', readBy: ['istio'], editable: true },
    content: { kind: 'text', text: content, sources: [] },
  };
}

interface Case {
  readonly env?: string;
  readonly mesh?: string;
  readonly state?: Partial<HostState>;
  readonly services?: readonly ServiceEntry[];
  readonly address?: string;
}

function rules({ env = ENV, mesh = 'defaultConfig: {}\n', state, services = [serviceEntry()], address }: Case): string[] {
  const entry = clusterEntry();
  const controlPlane = pinned('1.31.0');
  assert.ok(controlPlane);
  const scope: VmScope = {
    ...{ entry, vm, address, controlPlane, api: new MemoryCluster(), ports: testPorts(NOW) },
    inventory: { version: 1, clusters: [entry], vms: [vm], services },
  };
  const files = [text('/var/lib/istio/envoy/cluster.env', env), text('/etc/istio/config/mesh', mesh)];
  const whole = state === undefined ? undefined : { files: [], units: [], packages: [], programs: {}, ...state };
  return istiodFindings(scope, files, whole).map(
    ({ rule, severity, at }) => `${severity} ${rule}${at.line === undefined ? '' : ` ${at.line}`}`,
  );
}

/** A certificate of one day, and a token, on a machine that was joined. */
function credentials(leftHours: number, tokenHours: number | undefined): Partial<HostState> {
  const at = (hours: number): string => new Date(NOW.getTime() + hours * 3_600_000).toISOString();
  const certificate = {
    subject: '',
    issuer: '',
    uris: ['spiffe://x'],
    notBefore: at(leftHours - 24),
    notAfter: at(leftHours),
    fingerprint: '',
  };
  const token = tokenHours === undefined ? undefined : { subject: '', audiences: ['istio-ca'], expiresAt: at(tokenHours) };
  return {
    manifest,
    files: [
      { path: '/etc/certs/cert-chain.pem', exists: true, certificate },
      { path: '/var/run/secrets/tokens/istio-token', exists: token !== undefined, token },
    ],
  };
}

describe('istiod findings', () => {
  it('are none where all is well', () => {
    const unit = { name: 'istio', load: 'loaded', active: 'active', sub: 'running', enabled: 'enabled', restarts: 0 } as const;
    assert.deepEqual(rules({}), []);
    assert.deepEqual(rules({ state: { ...credentials(20, undefined), facts, units: [unit] }, address: '10.0.0.5' }), []);
  });

  it('see port 22 in capture', () => {
    assert.deepEqual(rules({ env: ENV.replace('22,', '') }), ['error istiod.ssh-captured 1']);
    assert.deepEqual(rules({ env: ENV.replace("'*'", "'22,3306'") }), ['error istiod.ssh-captured 1']);
    assert.deepEqual(rules({ env: ENV.replace("'*'", "'3306'").replace('22,', '') }), []);
    assert.deepEqual(rules({ env: "ISTIO_INBOUND_PORTS='*'\n" }), ['error istiod.ssh-captured 0']);
  });

  it('see a probe that Envoy answers itself', () => {
    assert.deepEqual(rules({ mesh: TCP_PROBE }), ['warning istiod.probe-captured 2']);
    assert.deepEqual(rules({ mesh: TCP_PROBE, env: ENV.replace("'*'", "'8080'") }), []);
    assert.deepEqual(rules({ mesh: TCP_PROBE.replace('tcpSocket', 'httpGet') }), []);
  });

  it('see credentials that will not last, and those that are over', () => {
    assert.deepEqual(rules({ state: credentials(5, undefined) }), ['warning istiod.certificate-not-renewed']);
    assert.deepEqual(rules({ state: credentials(-1, undefined) }), ['error istiod.token-expired']);
    assert.deepEqual(rules({ state: credentials(-1, -1) }), ['error istiod.token-expired']);
    assert.deepEqual(rules({ state: credentials(-1, 1) }), ['error istiod.certificate-expired']);
    assert.deepEqual(rules({ state: { ...credentials(-1, 1), manifest: undefined } }), []);
  });

  it('see what the machine is like', () => {
    assert.deepEqual(rules({ state: { facts: { ...facts, clockOffsetSeconds: -90 } } }), ['warning istiod.clock']);
    assert.deepEqual(rules({ state: { facts }, address: '10.0.0.6' }), ['info istiod.address-not-first']);
    const unit = { name: 'istio', load: 'loaded', active: 'active', sub: 'running', enabled: 'disabled', restarts: 0 } as const;
    assert.deepEqual(rules({ state: { manifest, units: [unit] } }), ['warning istiod.not-enabled']);
    const sidecar = (version: string): Partial<HostState> => ({
      packages: [{ name: 'istio-sidecar', version, status: 'install ok installed' }],
    });
    assert.deepEqual(rules({ state: sidecar('1.32.0') }), ['warning istiod.version-ahead']);
    assert.deepEqual(rules({ state: sidecar('1.28.1') }), ['warning istiod.version-behind']);
    assert.deepEqual(rules({ state: sidecar('1.30.1') }), []);
  });

  it('see what keeps names from programs, and nothing in a resolver of the machine itself', () => {
    const said = (resolvConf: string, hosts = 'hosts: files dns', env = ENV): string[] => {
      const files = { '/etc/resolv.conf': resolvConf, '/etc/nsswitch.conf': `passwd: files systemd\n${hosts}\nnetworks: files\n` };
      return rules({ env, state: { files: Object.entries(files).map(([path, content]) => ({ path, exists: true, text: content })) } });
    };
    const stub = '# This is /run/systemd/resolve/stub-resolv.conf\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n';
    assert.deepEqual(said(stub), []);
    assert.deepEqual(said('nameserver 10.0.0.2\nnameserver 10.0.0.3\n'), []);
    assert.deepEqual(said('search example.com\n#nameserver 10.0.0.2\n'), ['error istiod.dns-no-server 2']);
    assert.deepEqual(said('nameserver 127.0.0.1\nnameserver 10.0.0.2\n'), ['warning istiod.dns-loop 2']);
    assert.deepEqual(said('nameserver ::1\nnameserver 10.0.0.2\n'), ['warning istiod.dns-loop 2']);
    // As Fedora has it, Debian's libnss-resolve, Ubuntu's desktop, and with the action that ends nothing.
    assert.deepEqual(said(stub, 'hosts:      files myhostname resolve [!UNAVAIL=return] dns'), ['warning istiod.dns-past 2']);
    assert.deepEqual(said(stub, 'hosts:          files resolve [!UNAVAIL=return] dns'), ['warning istiod.dns-past 2']);
    assert.deepEqual(said(stub, 'hosts: files resolve'), ['warning istiod.dns-past 2']);
    assert.deepEqual(said(stub, 'hosts: files mdns4_minimal [NOTFOUND=return] dns mymachines'), []);
    assert.deepEqual(said(stub, 'hosts: files resolve dns'), []);
    assert.deepEqual(said(stub, 'hosts: files dns resolve [!UNAVAIL=return]'), []);
    assert.deepEqual(said('', 'hosts: files resolve [!UNAVAIL=return]', ENV.replace("DNS_CAPTURE='true'", "DNS_CAPTURE='false'")), []);
  });

  it('see a hosts file that cloud-init makes anew', () => {
    const hosts = (content: string): string[] => rules({ state: { files: [{ path: '/etc/hosts', exists: true, text: content }] } });
    assert.deepEqual(hosts('127.0.0.1 localhost\n'), []);
    // The head of its template hosts.debian.tmpl.
    assert.deepEqual(
      hosts(
        "# Your system has configured 'manage_etc_hosts' as True.\n# As a result, if you wish for changes to this file to persist\n127.0.1.1 db-1\n",
      ),
      ['warning istiod.hosts-rewritten'],
    );
  });

  it('see a machine that no service of the inventory runs on', () => {
    assert.deepEqual(rules({ services: [] }), ['info istiod.unselected']);
  });
});
