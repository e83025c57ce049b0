import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinned } from '../../../../src/mesh/citadel/detect.ts';
import type { ClusterScope, VmScope } from '../../../../src/mesh/era.ts';
import { isMeshError } from '../../../../src/mesh/errors.ts';
import type { MeshPorts } from '../../../../src/mesh/mesh.ts';
import type { ClusterEntry, Inventory, ServiceEntry, VmEntry } from '../../../../src/mesh/model.ts';
import type { CommandOutput, HostState, KubeObject } from '../../../../src/mesh/ports.ts';
import type { MemoryCluster } from '../../support/memoryCluster.ts';

export const NOW = new Date();

/** Time that passes only by sleeping. */
export function testPorts(now = NOW): MeshPorts {
  let passed = 0;
  const clock = {
    now: () => new Date(now.getTime() + passed),
    sleep: async (milliseconds: number) => {
      passed += milliseconds;
    },
  };
  // Everything else is unused by the rules under test; touching it fails loudly.
  return { clock } as unknown as MeshPorts;
}

export function clusterEntry(more: Partial<ClusterEntry> = {}): ClusterEntry {
  return { name: 'prod', context: 'prod', istio: { namespace: 'istio-system' }, clusterDomain: 'cluster.local', ...more };
}

export function vmEntry(more: Partial<VmEntry> = {}): VmEntry {
  return { name: 'db-1', host: 'db-1', cluster: 'prod', namespace: 'vm', serviceAccount: 'default', ...more };
}

export function serviceEntry(more: Partial<ServiceEntry> = {}): ServiceEntry {
  return {
    name: 'mysql',
    cluster: 'prod',
    namespace: 'onprem',
    ports: [{ name: 'mysql', port: 3306, targetPort: 3306, protocol: 'TCP' }],
    vms: ['db-1'],
    serviceAccount: 'default',
    labels: {},
    annotations: {},
    ...more,
  };
}

export function clusterScope(
  api: MemoryCluster,
  release: string,
  entry = clusterEntry(),
  inventory: Partial<Inventory> = {},
): ClusterScope {
  const controlPlane = pinned(release);
  if (controlPlane === undefined) throw new Error(`${release} is not of this era`);
  return {
    entry,
    api,
    controlPlane,
    inventory: { version: 1, clusters: [entry], vms: [], services: [], ...inventory },
    ports: testPorts(),
  };
}

export function vmScope(
  api: MemoryCluster,
  release: string,
  more: {
    readonly entry?: ClusterEntry;
    readonly vm?: VmEntry;
    readonly address?: string;
    readonly state?: HostState;
    readonly services?: readonly ServiceEntry[];
  } = {},
): VmScope {
  const vm = more.vm ?? vmEntry();
  return {
    ...clusterScope(api, release, more.entry, { vms: [vm], services: more.services ?? [] }),
    vm,
    address: more.address,
    state: more.state,
  };
}

export function balancer(namespace: string, name: string, ip: string | undefined): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
  };
}

/** The load balancers with the guide's addresses; `ca` is their name for the certificate authority's. */
export function balancers(ca = 'citadel-ilb', namespace = 'istio-system'): readonly KubeObject[] {
  return [
    balancer(namespace, 'istio-pilot-ilb', '10.150.0.6'),
    balancer(namespace, 'mixer-ilb', '10.150.0.8'),
    balancer(namespace, ca, '10.150.0.9'),
    balancer('kube-system', 'dns-ilb', '10.150.0.7'),
  ];
}

export interface TestCertificates {
  readonly root: string;
  readonly chain: string;
  readonly key: string;
}

/** A root and a leaf signed by it, made by openssl. `from` and `to` in days from now. `anonymous`: nothing in them says which key signed. */
export function makeCertificates({
  uri = 'spiffe://cluster.local/ns/vm/sa/default',
  from = -1,
  to = 89,
  rootTo = 365,
  anonymous = false,
} = {}): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-expansion-certificates-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { stdio: 'pipe', timeout: 20_000 });
  };
  const time = (days: number): string => `${new Date(NOW.getTime() + days * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  // Citadel's are RSA, which takes up to a second a key; the playground's and the lab's tests have those.
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const identifiers = anonymous ? 'subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n' : '';
  try {
    writeFileSync(
      file('ca.cnf'),
      `[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=${folder}\ndatabase=${file('index')}\nserial=${file('serial')}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\norganizationName=optional\n[req]\ndistinguished_name=dn\n[dn]\n[root]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n${identifiers}[leaf]\nsubjectAltName=critical,URI:${uri}\n${identifiers}`,
    );
    writeFileSync(file('index'), '');
    writeFileSync(file('serial'), '01');
    openssl(
      'req',
      ...newKey,
      '-keyout',
      file('root.key'),
      '-out',
      file('root.csr'),
      '-subj',
      '/O=cluster.local',
      '-config',
      file('ca.cnf'),
    );
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-selfsign',
      '-config',
      file('ca.cnf'),
      '-in',
      file('root.csr'),
      '-keyfile',
      file('root.key'),
      '-out',
      file('root.pem'),
      '-extensions',
      'root',
      '-startdate',
      time(-300),
      '-enddate',
      time(rootTo),
    );
    openssl('req', ...newKey, '-keyout', file('leaf.key'), '-out', file('leaf.csr'), '-subj', '/O=workload', '-config', file('ca.cnf'));
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      file('ca.cnf'),
      '-in',
      file('leaf.csr'),
      '-cert',
      file('root.pem'),
      '-keyfile',
      file('root.key'),
      '-out',
      file('leaf.pem'),
      '-extensions',
      'leaf',
      '-startdate',
      time(from),
      '-enddate',
      time(to),
    );
    const read = (name: string): string => readFileSync(file(name), 'utf8');
    return { root: read('root.pem'), chain: read('leaf.pem'), key: read('leaf.key') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function secret(
  { root, chain, key }: TestCertificates,
  more: { readonly type?: string; readonly data?: Readonly<Record<string, string>>; readonly namespace?: string } = {},
): KubeObject {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'istio.default', namespace: more.namespace ?? 'vm' },
    type: more.type ?? 'istio.io/key-and-cert',
    data: { 'root-cert.pem': base64(root), 'cert-chain.pem': base64(chain), 'key.pem': base64(key), ...more.data },
  };
}

export function output(stdout: string, more: Partial<CommandOutput> = {}): CommandOutput {
  return { exitCode: 0, stdout, stderr: '', durationMs: 1, timedOut: false, ...more };
}

/** For assert.rejects and assert.throws: an error of the core with this code and, where given, this message. */
export function coded(code: string, id = code): (error: unknown) => boolean {
  return (error) => {
    if (!isMeshError(error)) throw error;
    if (error.code !== code || error.userMessage.id !== id)
      throw new Error(`expected ${code} / ${id}, got ${error.code} / ${error.userMessage.id}`);
    return true;
  };
}
