// The files of a VM against those of the real istioctl, byte by byte, for the same cluster. The tool reads the same API server; where it is wrong, the
// expectation is written by hand (istiod facts 0.3, 1.5).
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';
import type { VmScope } from '../../../src/mesh/era.ts';
import { isMeshError } from '../../../src/mesh/errors.ts';
import { generate } from '../../../src/mesh/istiod/generate.ts';
import type { MeshPorts } from '../../../src/mesh/mesh.ts';
import type { ClusterApi } from '../../../src/mesh/ports.ts';
import { istiodLab, type Lab } from '../env.ts';
import { cases, meshes, type OracleCase } from './oracleCases.ts';
import { randomCases } from './oracleRandom.ts';

const RUN = `oracle-${process.pid}`;
const GATEWAY_ADDRESS = '192.0.2.7';
const REVISIONS = ['', '-1-31-0', '-canary'];
const RANDOM = Number(process.env.ORACLE_RANDOM ?? 60);
/** Another seed finds other groups: ORACLE_SEED=1 ORACLE_RANDOM=300. */
const SEED = Number(process.env.ORACLE_SEED ?? 20261123);

const files = {
  'cluster.env': '/var/lib/istio/envoy/cluster.env',
  'mesh.yaml': '/etc/istio/config/mesh',
  'root-cert.pem': '/etc/certs/root-cert.pem',
  hosts: '/etc/hosts',
} as const;

type Written = Record<keyof typeof files | 'istio-token', string>;

const groupNamespace = ({ namespace }: OracleCase): string => `${RUN}-${namespace ?? 'a'}`;
const istioNamespace = ({ mesh = 'plain' }: OracleCase): string => `${RUN}-mesh-${mesh}`;

/** One order for the ports, whose order istioctl leaves to chance. */
function sortedPorts(env: string): string {
  return env.replace(/^(ISTIO_INBOUND_PORTS=')([\d,]+)'$/m, (_all, head: string, ports: string) => {
    const sorted = ports.split(',').sort((one, other) => Number(one) - Number(other));
    return `${head}${sorted.join(',')}'`;
  });
}

describe('files of a VM against istioctl', function () {
  this.timeout(120_000);
  let lab: Lab;
  let api: ClusterApi;
  let folder: string;
  const all: readonly { readonly name: string; readonly one: OracleCase }[] = [
    ...cases.map((one, index) => ({ name: `case-${index}`, one })),
    ...randomCases(SEED, RANDOM).map((one, index) => ({ name: `random-${index}`, one })),
  ];

  const groupObject = (name: string, one: OracleCase): Record<string, unknown> => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadGroup',
    metadata: { name, namespace: groupNamespace(one), ...one.group.metadata },
    spec: one.group.spec,
  });

  before(async () => {
    lab = await istiodLab();
    api = createClusterApi({ kubeconfig: await loadKubeconfig({ paths: [lab.kubeconfig] }), context: lab.contexts.lab, env: {} });
    folder = await mkdtemp(path.join(tmpdir(), 'oracle-'));
    const namespaces = ['a', 'b', ...Object.keys(meshes).map((mesh) => `mesh-${mesh}`)].map((name) => `${RUN}-${name}`);
    const of = (apiVersion: string, kind: string, namespace: string | undefined, name: string, more: object): object => ({
      apiVersion,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      ...more,
    });
    const items = [
      ...namespaces.map((name) => of('v1', 'Namespace', undefined, name, {})),
      ...['a', 'b'].flatMap((name) => ['vm-sa', 'other'].map((account) => of('v1', 'ServiceAccount', `${RUN}-${name}`, account, {}))),
      ...Object.entries(meshes).flatMap(([mesh, text]) =>
        REVISIONS.flatMap((revision) => [
          of('v1', 'ConfigMap', `${RUN}-mesh-${mesh}`, `istio${revision}`, { data: { mesh: text } }),
          of('v1', 'ConfigMap', `${RUN}-mesh-${mesh}`, `istio-sidecar-injector${revision}`, {
            data: { values: JSON.stringify({ global: { multiCluster: { clusterName: `Kubernetes${revision}` } } }) },
          }),
        ]),
      ),
      ...Object.keys(meshes).map((mesh) =>
        of('v1', 'Service', `${RUN}-mesh-${mesh}`, 'istio-eastwestgateway', {
          spec: { externalIPs: [GATEWAY_ADDRESS], ports: [{ name: 'tls-istiod', port: 15012 }] },
        }),
      ),
      ...all.map(({ name, one }) => groupObject(name, one)),
    ];
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
    // istiod writes the root certificate into new namespaces.
    await lab.kubectl(['-n', `${RUN}-a`, 'wait', '--for=create', 'configmap/istio-ca-root-cert', '--timeout=20s']);
    await lab.kubectl(['-n', `${RUN}-b`, 'wait', '--for=create', 'configmap/istio-ca-root-cert', '--timeout=20s']);
  });

  after(async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
    await lab.kubectl([
      'delete',
      'namespace',
      '--wait=false',
      '--ignore-not-found',
      ...['a', 'b', ...Object.keys(meshes).map((mesh) => `mesh-${mesh}`)].map((name) => `${RUN}-${name}`),
    ]);
  });

  /** What istioctl writes. It reads the group from a file, as the API server has it: from the server itself it takes no defaults. */
  async function theirs(name: string, one: OracleCase): Promise<Written> {
    const live = await lab.read(`/apis/networking.istio.io/v1/namespaces/${groupNamespace(one)}/workloadgroups/${name}`);
    const [input, output] = [path.join(folder, `${name}.json`), path.join(folder, name)];
    await writeFile(input, JSON.stringify(live));
    await lab.istioctl([
      ...['x', 'workload', 'entry', 'configure', '-f', input, '-o', output, '-i', istioNamespace(one)],
      ...(one.revision === undefined ? [] : ['--revision', one.revision]),
      ...(one.autoRegister === true ? ['--autoregister'] : []),
      ...(one.captureDns === false ? ['--capture-dns=false'] : []),
      ...(one.externalAddress !== undefined
        ? ['--externalIP', one.externalAddress]
        : one.address !== undefined
          ? ['--internalIP', one.address]
          : []),
      ...(one.gateway === undefined ? [] : ['--ingressIP', one.gateway]),
      ...(one.clusterId === undefined ? [] : ['--clusterID', one.clusterId]),
    ]);
    const read = (file: string): Promise<string> => readFile(path.join(output, file), 'utf8');
    return {
      'cluster.env': sortedPorts(await read('cluster.env')),
      'mesh.yaml': await read('mesh.yaml'),
      'root-cert.pem': await read('root-cert.pem'),
      hosts: await read('hosts'),
      'istio-token': await read('istio-token'),
    };
  }

  function scopeOf(name: string, one: OracleCase): VmScope {
    return {
      entry: {
        name: 'lab',
        context: lab.contexts.lab,
        istio: { namespace: istioNamespace(one), revision: one.revision, clusterId: one.clusterId },
        clusterDomain: 'cluster.local',
        ...(one.gateway === undefined ? {} : { ingress: { service: 'istio-eastwestgateway', address: one.gateway } }),
      },
      api,
      controlPlane: { era: 'istiod', release: '1.31.0', source: { value: '1.31.0', from: { kind: 'inventory', field: 'istio.release' } } },
      inventory: { version: 1, clusters: [], vms: [], services: [] },
      ports: { clock: { now: () => new Date() } } as unknown as MeshPorts,
      vm: {
        name: 'vm-1',
        host: 'vm-1',
        cluster: 'lab',
        namespace: groupNamespace(one),
        serviceAccount: 'default',
        workloadGroup: name,
        autoRegister: one.autoRegister === true,
        captureDns: one.captureDns,
        externalAddress: one.externalAddress,
        address: one.address,
      },
      address: one.address,
    };
  }

  async function ours(name: string, one: OracleCase): Promise<Written> {
    const made = await generate(scopeOf(name, one));
    const text = (file: string): string => {
      const content = made.find((each) => each.path === file)?.content;
      assert.equal(content?.kind, 'text', file);
      // A source for every line, none for a line that is not there.
      assert.equal(content.sources.length, content.text.replace(/\n$/, '').split('\n').length, file);
      return content.text;
    };
    const minted = made.find(({ path: file }) => file === '/var/run/secrets/tokens/istio-token')?.content;
    assert.equal(minted?.kind, 'minted');
    const token = name === 'case-0' ? Buffer.from((await minted.mint()).reveal()).toString('utf8') : '';
    return {
      // Ours alone: the name of an entry that istiod does not make (istiod facts 3.3), and an istiod that is not in istio-system (2.3).
      'cluster.env': sortedPorts(text(files['cluster.env']).replace(/^(ISTIO_META_WORKLOAD_ENTRY=.*|CA_ADDR='istiod\..*)\n/gm, '')),
      'mesh.yaml': text(files['mesh.yaml']),
      'root-cert.pem': text(files['root-cert.pem']),
      hosts: text(files.hosts),
      'istio-token': token,
    };
  }

  for (const { name, one } of all) {
    it(one.title, async () => {
      const [mine, other] = [await ours(name, one), await theirs(name, one)];
      for (const file of ['mesh.yaml', 'cluster.env', 'root-cert.pem', 'hosts'] as const) assert.equal(mine[file], other[file], file);
      if (mine['istio-token'] === '') return;
      const claims = (token: string) => {
        const { aud, sub, exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<
          string,
          unknown
        >;
        return { aud, sub, life: Number(exp) - Number(iat) };
      };
      assert.deepEqual(claims(mine['istio-token']), claims(other['istio-token']));
    });
  }

  // By hand: the tool ends in a panic, and leaves what it had written.
  it('has files where istioctl panics: an annotation with metadata on a mesh without', async () => {
    const one: OracleCase = {
      title: '',
      group: {
        metadata: { annotations: { 'proxy.istio.io/config': 'proxyMetadata: {NEW: "1"}' } },
        spec: { template: { serviceAccount: 'vm-sa' } },
      },
      mesh: 'empty',
    };
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(groupObject('panics', one)) });
    await assert.rejects(theirs('panics', one), /panic: assignment to entry in nil map/);
    const { 'cluster.env': env, hosts } = await ours('panics', one);
    assert.match(env, /^NEW='1'$/m);
    assert.match(env, /^TRUST_DOMAIN=''$/m);
    assert.equal(hosts, `${GATEWAY_ADDRESS} istiod.${istioNamespace(one)}.svc\n`);
  });

  it('has files where istioctl panics or refuses: a group of the API server without metadata and account', async () => {
    const one: OracleCase = { title: '', group: { spec: { template: {} } } };
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(groupObject('bare', one)) });
    const output = path.join(folder, 'bare');
    await assert.rejects(
      lab.istioctl([
        'x',
        'workload',
        'entry',
        'configure',
        '--name',
        'bare',
        '-n',
        groupNamespace(one),
        '-o',
        output,
        '-i',
        istioNamespace(one),
      ]),
    );
    assert.match((await ours('bare', one))['cluster.env'], /^SERVICE_ACCOUNT='default'$/m);
  });

  it('refuses a gateway with a host name that nobody resolved, where istioctl writes an empty file', async () => {
    const one: OracleCase = { title: '', group: { spec: { template: { serviceAccount: 'vm-sa' } } }, gateway: 'gateway.example' };
    await assert.rejects(generate(scopeOf('case-0', one)), (error: unknown) => isMeshError(error, 'istiod.gateway-unresolved'));
  });
});
