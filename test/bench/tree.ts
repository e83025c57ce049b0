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
import { digestsOf } from '../../src/editor/watchNews.ts';
import { createClusterApi, loadKubeconfig } from '../../src/kube/index.ts';
import { createMesh } from '../../src/mesh/createMesh.ts';
import { isMeshError } from '../../src/mesh/errors.ts';
import { parseInventory } from '../../src/mesh/inventory.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { ClusterApi, ObjectQuery } from '../../src/mesh/ports.ts';
import { Watches } from '../../src/views/watches.ts';
import { down } from '../lab/down.ts';
import type { Lab } from '../lab/env.ts';
import { startOwnLab } from '../lab/support/ownLab.ts';

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
  const limit = pLimit(32);
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

/** What the tree is made of, without an editor: a reading for each cluster that is opened, and the tree's own watches. */
function tree(mesh: Mesh, cluster: (name: string) => Promise<ClusterApi>) {
  const subscription = { dispose: () => undefined };
  const listeners: { expand: (event: { readonly element: object }) => void } = { expand: () => undefined };
  const seen = new Map<string, Map<string, string>>();
  const held = new Map<string, object>();
  const key = (name: string, { kind, fieldSelector = '' }: ObjectQuery): string => `${name} ${kind} ${fieldSelector}`;
  const changed: (() => void)[] = [];
  const view = {
    visible: true,
    onDidExpandElement: (listener: typeof listeners.expand) => ((listeners.expand = listener), subscription),
    onDidCollapseElement: () => subscription,
    onDidChangeVisibility: () => subscription,
  };
  const session = {
    onDidReset: () => subscription,
    file: { onDidChange: () => subscription },
    inventory: async () => mesh.inventory(),
    backend: async () => ({ connections: { cluster } }),
    mesh: async () => mesh,
  };
  const facts = {
    onDidChange: () => subscription,
    cluster: (name: string) => ({ value: held.get(name), loading: false }),
    takeSeen: (name: string, query: ObjectQuery) => {
      const found = seen.get(key(name, query));
      seen.delete(key(name, query));
      return found;
    },
    readCluster: async (name: string) => assert.fail(`the watch of ${name} failed`),
    readTouched: async () => undefined,
    readChanged: async (name: string) => {
      held.set(name, await mesh.overview(name));
      changed.splice(0).forEach((tell) => tell());
    },
  };
  const log = { error: (_: string, error: Error) => assert.fail(error.message) };
  const watches = new Watches(...([view, session, facts, log] as unknown as ConstructorParameters<typeof Watches>));
  return {
    read: async (name: string) => {
      const onListed = (query: ObjectQuery, objects: Parameters<typeof digestsOf>[0]) => seen.set(key(name, query), digestsOf(objects));
      held.set(name, await mesh.overview(name, { onListed, timeoutMs: 60_000 }));
    },
    open: (name: string) => listeners.expand({ element: { kind: 'cluster', cluster: { name } } }),
    nextRead: () => new Promise<void>((resolve) => changed.push(resolve)),
    close: () => watches.dispose(),
  };
}

async function measure(lab: Lab): Promise<string> {
  const kubeconfig = await loadKubeconfig({ paths: [lab.kubeconfig] });
  const lists = new Map<string, number>();
  const cluster = async (name: string): Promise<ClusterApi> => {
    const used = name === 'dead' ? { ...kubeconfig, clusters: dead.clusters(kubeconfig) } : kubeconfig;
    const api = createClusterApi({ kubeconfig: used, context: lab.contexts.lab, env: {} });
    return {
      ...api,
      list: (query, options) => {
        lists.set(query.kind, (lists.get(query.kind) ?? 0) + 1);
        return api.list(query, options);
      },
    };
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
  const config = new KubeConfig();
  config.loadFromFile(lab.kubeconfig);
  config.setCurrentContext(lab.contexts.lab);
  const bare = config.makeApiClient(CoreV1Api);
  const kubectl = () => lab.kubectl(['--context', lab.contexts.lab, 'get', 'services', '--all-namespaces', '-o', 'json']);
  // The first of each also reads its program and connects.
  await Promise.all([any.list({ apiVersion: 'v1', kind: 'Namespace' }), bare.listNamespace(), lab.kubectl(['get', 'namespaces'])]);
  const view = tree(mesh, cluster);
  try {
    const first = heap();
    const one = await seconds(() => view.read('c1'));
    const oneBare = await seconds(() => bare.listServiceForAllNamespaces());
    const oneKubectl = await seconds(kubectl);
    lists.clear();
    const failed: { after?: number; code?: string } = {};
    const begin = performance.now();
    const deadRead = mesh.overview('dead', { timeoutMs: DEAD_LIMIT_MS }).catch((error: unknown) => {
      failed.after = (performance.now() - begin) / 1000;
      failed.code = isMeshError(error) ? error.code : String(error);
    });
    const all = await seconds(() => Promise.all(names.slice(1).map((name) => view.read(name))));
    await deadRead;
    assert.equal(failed.code, 'kube.timeout');
    const perCluster = ['Service', 'ServiceEntry', 'WorkloadGroup', 'WorkloadEntry'].map((kind) => (lists.get(kind) ?? 0) / (CLUSTERS - 1));
    const allBare = await seconds(() => Promise.all(names.slice(1).map(() => bare.listServiceForAllNamespaces())));
    let reads = 0;
    void (async () => {
      for (;;) {
        await view.nextRead();
        reads += 1;
      }
    })();
    for (const name of names) view.open(name);
    await sleep(8000);
    assert.equal(reads, 0, 'a cluster was read again because its watch began');
    const kept = heap() - first;
    view.close();
    const single = tree(mesh, cluster);
    await single.read('c1');
    single.open('c1');
    await sleep(3000);
    const delays: number[] = [];
    for (let event = 0; event < EVENTS; event += 1) {
      const shown = single.nextRead();
      const sent = performance.now();
      await any.apply(service(1, { turn: String(event) }));
      await shown;
      delays.push(performance.now() - sent);
      await sleep(200);
    }
    single.close();
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
      `| list calls per cluster: Service, ServiceEntry, WorkloadGroup, WorkloadEntry | ${perCluster.join(', ')} |`,
      `| a cluster that does not answer, opened with the ${CLUSTERS - 1}, limit ${DEAD_LIMIT_MS / 1000} s: given up after | ${(failed.after ?? NaN).toFixed(1)} s |`,
      `| more heap with all ${CLUSTERS} open and watched | ${kept.toFixed(0)} MB |`,
      `| from a change of a Service to the tree (median of ${EVENTS}) | ${(delays.sort((a, b) => a - b)[Math.floor(EVENTS / 2)] ?? NaN).toFixed(0)} ms |`,
      '',
    ].join('\n');
  } finally {
    view.close();
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
