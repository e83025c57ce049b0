// The tree over 20 clusters of 5,000 Services, one of them with nobody behind its address: the core's reading and the tree's watches on a real API server that
// stands for all 20, beside kubectl and the bare client in the same run. Needs root. Prints Markdown.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import type { ClusterFacts } from '../../src/editor/clusterReadings.ts';
import { createClusterApi, loadKubeconfig } from '../../src/kube/index.ts';
import { createMesh } from '../../src/mesh/createMesh.ts';
import { isMeshError } from '../../src/mesh/errors.ts';
import { parseInventory } from '../../src/mesh/inventory.ts';
import type { ClusterApi } from '../../src/mesh/ports.ts';
import { down } from '../lab/down.ts';
import type { Lab } from '../lab/env.ts';
import { headlessTree, type HeadlessTree } from '../lab/support/headlessTree.ts';
import { startOwnLab } from '../lab/support/ownLab.ts';
import { recordRequests } from '../lab/support/requests.ts';

const CLUSTERS = 20;
const SERVICES = 5000;
const NAMESPACES = 10;
const DEAD_LIMIT_MS = 5000;
const EVENTS = 5;
const names = Array.from({ length: CLUSTERS }, (_, index) => `c${index + 1}`);

const service = (index: number, more: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `service-${index}`, namespace: `many-${index % NAMESPACES}`, labels: { app: `service-${index}`, ...more } },
  spec: { selector: { app: `service-${index}` }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

async function fill(api: ClusterApi): Promise<void> {
  for (let index = 0; index < NAMESPACES; index += 1)
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `many-${index}` } });
  const limit = pLimit(8);
  await Promise.all(Array.from({ length: SERVICES }, (_, index) => limit(() => api.create(service(index), { timeoutMs: 60_000 }))));
}

/** Megabytes in use after a collection. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  Reflect.apply(collect, undefined, []);
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Seconds that the work takes; told on stderr as it goes. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  const time = (performance.now() - begin) / 1000;
  process.stderr.write(`    ${time.toFixed(2)} s\n`);
  return time;
}

/** Milliseconds from before a write until what it changed is shown, the median of some. */
async function delay(
  view: HeadlessTree,
  turn: (index: number) => Promise<readonly [write: () => Promise<unknown>, isShown: (facts: ClusterFacts) => boolean]>,
): Promise<number> {
  const delays: number[] = [];
  for (let index = 0; index < EVENTS; index += 1) {
    const [write, isShown] = await turn(index);
    const shown = view.until('c1', ({ value }) => value !== undefined && isShown(value));
    const sent = performance.now();
    await write();
    await shown;
    delays.push(performance.now() - sent);
    // Nothing of this turn is under way in the next.
    await sleep(300);
  }
  return delays.sort((a, b) => a - b)[Math.floor(EVENTS / 2)] ?? NaN;
}

const NETWORKING = 'networking.istio.io/v1';
const machine = (name: string, annotations: Readonly<Record<string, string>>) => ({
  apiVersion: NETWORKING,
  kind: 'WorkloadEntry',
  metadata: { name, namespace: 'many-1', annotations: { 'mesh-expansion/workload-group': 'bench', ...annotations } },
  spec: { address: `192.0.2.${name.split('-')[1]}`, labels: { app: 'service-1' } },
});

/** How long a change takes to be shown: of a Service that machines serve, of a machine, and of one that comes to a namespace of 500 Services. */
async function delays(api: ClusterApi, view: HeadlessTree): Promise<readonly number[]> {
  const ref = { apiVersion: 'v1', kind: 'Service', namespace: 'many-1', name: 'service-1' };
  const served = ({ services }: ClusterFacts) =>
    services.find(({ ref: { namespace, name } }) => `${namespace}/${name}` === 'many-1/service-1');
  const time = '2026-01-02T03:04:05Z';
  return [
    await delay(view, async (index) => {
      const found = await api.get(ref);
      assert.ok(found);
      const port = 8001 + index;
      const changed = { ...found, spec: { ...(found.spec as object), ports: [{ name: 'http', port, targetPort: 8080 }] } };
      return [() => api.replace(changed), (facts) => served(facts)?.ports[0]?.port === port];
    }),
    await delay(view, async (index) => {
      const [key, membership] = index % 2 === 0 ? ['disconnectedAt', 'disconnected'] : ['connectedAt', 'connected'];
      return [
        () => api.apply(machine('bench-1', { [`istio.io/${key}`]: index % 2 === 0 ? time : new Date().toISOString() })),
        ({ workloadGroups }) => workloadGroups?.[0]?.entries[0]?.membership === membership,
      ];
    }),
    await delay(view, async (index) => [
      () => api.apply(machine(`bench-${index + 2}`, {})),
      (facts) => served(facts)?.endpoints.length === index + 2,
    ]),
  ];
}

async function measure(lab: Lab): Promise<string> {
  const kubeconfig = await loadKubeconfig({ paths: [lab.kubeconfig] });
  const cluster = async (name: string): Promise<ClusterApi> => {
    const used = name === 'dead' ? { ...kubeconfig, clusters: dead.clusters(kubeconfig) } : kubeconfig;
    return createClusterApi({ kubeconfig: used, context: lab.contexts.lab, env: {} });
  };
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const dead = {
    clusters: ({ clusters }: typeof kubeconfig) =>
      new Map([...clusters].map(([name, one]) => [name, { ...one, server: `https://127.0.0.1:${port}` }] as const)),
  };
  const { inventory } = parseInventory(
    stringify({ version: 1, clusters: [...names, 'dead'].map((name) => ({ name, context: name })), vms: [], services: [] }),
  );
  const mesh = createMesh(
    {
      connections: {
        contexts: async () => [],
        cluster,
        hosts: async () => [],
        host: async (alias) => assert.fail(`no machine is asked here: ${alias}`),
        close: async () => undefined,
      },
      edits: { read: async () => undefined, list: async () => [], write: async () => undefined, delete: async () => undefined },
      clock: { now: () => new Date(), sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }) },
      packages: { fetch: async () => assert.fail('no package is fetched here') },
    },
    () => inventory,
  );
  const any = await cluster('any');
  await fill(any);
  const template = { metadata: { labels: { app: 'service-1' } }, template: { serviceAccount: 'default' } };
  await any.apply({ apiVersion: NETWORKING, kind: 'WorkloadGroup', metadata: { name: 'bench', namespace: 'many-1' }, spec: template });
  await any.apply(machine('bench-1', { 'istio.io/connectedAt': new Date().toISOString() }));
  const config = new KubeConfig();
  config.loadFromFile(lab.kubeconfig);
  config.setCurrentContext(lab.contexts.lab);
  const bare = config.makeApiClient(CoreV1Api);
  const kubectl = () => lab.kubectl(['--context', lab.contexts.lab, 'get', 'services', '--all-namespaces', '-o', 'json']);
  // The first of each also reads its program and connects.
  await Promise.all([any.list({ apiVersion: 'v1', kind: 'Namespace' }), bare.listNamespace(), lab.kubectl(['get', 'namespaces'])]);
  const view = headlessTree(mesh, cluster, 60_000);
  const requests = recordRequests();
  try {
    const first = heap();
    const one = await seconds(() => view.read('c1'));
    view.open('c1');
    const oneBare = await seconds(() => bare.listServiceForAllNamespaces());
    const oneKubectl = await seconds(kubectl);
    const failed: { after?: number; code?: string } = {};
    const begin = performance.now();
    const deadRead = mesh.overview('dead', { timeoutMs: DEAD_LIMIT_MS }).catch((error: unknown) => {
      failed.after = (performance.now() - begin) / 1000;
      failed.code = isMeshError(error) ? error.code : String(error);
    });
    let painted = NaN;
    const all = await seconds(async () => {
      const asked = performance.now();
      const reads = names.slice(1).map((name) => view.read(name));
      // What is painted while none of them has answered.
      assert.ok(names.slice(1).every((name) => view.nodes(name).length > 0 && view.shown(name).value === undefined));
      painted = performance.now() - asked;
      await Promise.all(reads);
    });
    await deadRead;
    assert.equal(failed.code, 'kube.timeout');
    const allBare = await seconds(() => Promise.all(names.slice(1).map(() => bare.listServiceForAllNamespaces())));
    const changes = view.changes();
    for (const name of names) view.open(name);
    await sleep(8000);
    assert.equal(view.changes(), changes, 'a cluster was read again because its watch began');
    assert.deepEqual(view.errors, []);
    const kept = heap() - first;
    const lists = (kind: string) =>
      requests.sent.filter((sent) => new RegExp(`^GET /apis?/(networking\\.istio\\.io/)?v1/${kind}$`).test(sent));
    const perCluster = ['services', 'serviceentries', 'workloadgroups', 'workloadentries'].map((kind) => lists(kind).length / CLUSTERS);
    requests.stop();
    for (const name of names.slice(1)) view.close(name);
    const [ofService = NaN, ofMachine = NaN, ofNewMachine = NaN] = await delays(any, view);
    const row = (what: string, ...times: readonly number[]): string =>
      `| ${what} | ${times.map((time, index) => `${time.toFixed(2)} | ${(time / ([one, all][index] ?? NaN)).toFixed(1)}`).join(' | ')} |`;
    return [
      `### Tree of ${CLUSTERS} clusters, ${SERVICES} Services each`,
      '',
      `Once, in seconds, and as a ratio to the first row. One API server stands for all clusters, on the same processors.`,
      '',
      `| what | one cluster | ratio | ${CLUSTERS - 1} at once | ratio |`,
      '| --- | --- | --- | --- | --- |',
      row('opening the cluster, detection included', one, all),
      row('the bare client: its Services', oneBare, allBare),
      `| kubectl get services -A -o json | ${oneKubectl.toFixed(2)} | ${(oneKubectl / one).toFixed(1)} | | |`,
      '',
      '| what | measured |',
      '| --- | --- |',
      `| nodes of ${CLUSTERS - 1} clusters that are being read, before one has answered | ${painted.toFixed(1)} ms |`,
      `| list calls per cluster, its watches included: Service, ServiceEntry, WorkloadGroup, WorkloadEntry | ${perCluster.join(', ')} |`,
      `| a cluster that does not answer, opened with the ${CLUSTERS - 1}, limit ${DEAD_LIMIT_MS / 1000} s: given up after | ${(failed.after ?? NaN).toFixed(1)} s |`,
      `| more heap with all ${CLUSTERS} open and watched | ${kept.toFixed(0)} MB |`,
      `| from a change of a Service that machines serve to what the tree paints (median of ${EVENTS}, the write included) | ${ofService.toFixed(0)} ms |`,
      `| from a machine that connects or disconnects | ${ofMachine.toFixed(0)} ms |`,
      `| from a machine that comes to a namespace of ${SERVICES / NAMESPACES} Services | ${ofNewMachine.toFixed(0)} ms |`,
      '',
    ].join('\n');
  } finally {
    view.dispose();
    silent.close();
    await Promise.all([mesh.close(), any.close()]);
  }
}

const lab = await startOwnLab('bench', 1, 'istiod');
try {
  process.stdout.write(await measure(lab));
} finally {
  await down(lab.name);
}
