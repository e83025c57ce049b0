// What the tree makes of a real API server that refuses, forgets, stalls or dies: its own readings and watches, without an editor. Part of kube.test.ts, whose lab it uses.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { createClusterApi, loadKubeconfig } from '../../src/kube/index.ts';
import { createMesh } from '../../src/mesh/createMesh.ts';
import { parseInventory } from '../../src/mesh/inventory.ts';
import type { MeshPorts } from '../../src/mesh/mesh.ts';
import type { ClusterApi } from '../../src/mesh/ports.ts';
import type { Lab } from './env.ts';
import type { Cable } from './support/cable.ts';
import { headlessTree, type HeadlessTree } from './support/headlessTree.ts';
import { recordRequests, type Requests } from './support/requests.ts';

export interface TreeLab {
  readonly lab: () => Lab;
  /** A namespace of the test's own. */
  readonly namespace: string;
  /** A file in the test's own folder. */
  readonly file: (name: string) => string;
  /** A kubeconfig with the lab's first cluster or user changed. */
  readonly altered: (cluster: Record<string, unknown>, user?: Record<string, unknown>) => Promise<string>;
  readonly cable: () => Promise<{ readonly cable: Cable; readonly cluster: Record<string, unknown> }>;
  /** The API server dies; something happens; it is there again. */
  readonly killed: (meanwhile: () => Promise<void>) => Promise<void>;
}

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const READS = ['get', 'list', 'watch'];
/** Long enough for what asks again and again to be seen. */
const QUIET_MS = 3000;

export function describeTree({ lab, namespace, file, altered, cable: cableOf, killed }: TreeLab): void {
  const opened: (() => Promise<void>)[] = [];
  let requests: Requests;

  /** The tree of the one cluster `prod`, of which Service `web` of the inventory shows, and whose mesh ConfigMap is watched. */
  async function tree(
    kubeconfig: string,
    { release = '1.31.0', timeoutMs }: { release?: string; timeoutMs?: number } = {},
  ): Promise<HeadlessTree> {
    const { inventory } = parseInventory(
      stringify({
        version: 1,
        clusters: [{ name: 'prod', context: 'lab', istio: { release } }],
        vms: [{ name: 'db-1', cluster: 'prod', namespace, workloadGroup: 'db', address: '192.0.2.9' }],
        services: [{ name: 'web', cluster: 'prod', namespace, ports: [{ name: 'http', port: 80 }], vms: ['db-1'] }],
      }),
    );
    const connect = async (context: string): Promise<ClusterApi> =>
      createClusterApi({
        kubeconfig: await loadKubeconfig({ paths: [kubeconfig] }),
        context,
        env: {},
        reconnect: { firstMs: 50, longestMs: 500 },
      });
    const ports = {
      connections: { cluster: connect, close: async () => undefined },
      clock: { now: () => new Date() },
    } as unknown as MeshPorts;
    const mesh = createMesh(ports, () => inventory);
    const made = headlessTree(mesh, connect, timeoutMs);
    opened.push(async () => {
      made.dispose();
      await mesh.close();
    });
    return made;
  }

  /** A kubeconfig for somebody who may do just this, in the whole cluster or in the test's namespace. */
  async function somebody(name: string, cluster: readonly Rule[], own: readonly Rule[] = []): Promise<string> {
    const user = `${name}-${process.pid}`;
    const rules = (all: readonly Rule[]) => all.map((rule) => ({ apiGroups: [''], ...rule }));
    const group = 'rbac.authorization.k8s.io';
    const subjects = [{ apiGroup: group, kind: 'User', name: user }];
    const objects = (['ClusterRole', 'Role'] as const).flatMap((kind) => {
      const metadata = kind === 'Role' ? { name: user, namespace } : { name: user };
      const of = { apiVersion: `${group}/v1`, metadata };
      return [
        { ...of, kind, rules: rules(kind === 'Role' ? own : cluster) },
        { ...of, kind: `${kind}Binding`, subjects, roleRef: { apiGroup: group, kind, name: user } },
      ];
    });
    await lab().kubectl(['apply', '-f', '-'], { input: objects.map((object) => stringify(object)).join('---\n') });
    const { stdout } = await lab().kubectl(['config', 'view', '--raw', '-o', 'jsonpath={.users[?(@.name=="lab-admin")].user}']);
    return altered({}, { ...(JSON.parse(stdout) as object), as: user });
  }

  const put = (port: number) =>
    lab().kubectl(['apply', '-f', '-'], {
      input: stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace },
        spec: { ports: [{ name: 'http', port }] },
      }),
    });
  const portOf = (shown: HeadlessTree) => shown.shown('prod').value?.services.find(({ ref }) => ref.name === 'web')?.ports[0]?.port;
  const shows = (shown: HeadlessTree, port: number) => shown.until('prod', ({ error }) => error === undefined && portOf(shown) === port);

  /** That nothing is asked any more, and no refusal was answered by asking on. */
  async function assertQuiet(shown: HeadlessTree): Promise<void> {
    const { sent, refused } = requests;
    // Whether a kind is served by now is asked from time to time.
    const asked = () => sent.filter((one) => one !== 'GET /apis/networking.istio.io/v1');
    // What has just been asked for may begin something more.
    let before = -1;
    while (before !== asked().length) {
      before = asked().length;
      await sleep(500);
    }
    const changes = shown.changes();
    await sleep(QUIET_MS);
    const later = asked().slice(before);
    assert.deepEqual([later, shown.changes()], [[], changes], 'something is asked again and again');
    // Once for the reading and once for what is to be watched; after 401, once more with what a login gives now.
    const thrice = refused.filter((one) => refused.filter((other) => other === one).length > 2);
    assert.deepEqual(thrice, [], 'refused, and asked again');
  }

  const notices = (shown: HeadlessTree) =>
    shown
      .nodes('prod')
      .flatMap((node) => (node.kind === 'notice' && node.text.id.startsWith('kube.') ? [node.text] : []))
      .map(({ args: { verb, resource, namespace: where } }) => `${verb} ${resource} ${where}`)
      .sort();

  beforeEach(async () => {
    await put(80);
    requests = recordRequests();
  });

  afterEach(async () => {
    requests.stop();
    for (const close of opened.splice(0)) await close();
  });

  it('shows a cluster whose Services may not be watched, says so, and sees them when it is refreshed', async () => {
    const services = { resources: ['services'], verbs: ['get', 'list'] };
    const shown = await tree(await somebody('no-watch', [services, { resources: ['configmaps'], verbs: READS }]));
    await shown.read('prod');
    shown.open('prod');
    await shown.until('prod', ({ value }) => value?.unwatched?.length === 2);
    assert.deepEqual(notices(shown), ['watch services -', 'watch services istio-system']);
    await assertQuiet(shown);
    assert.equal(requests.refused.filter((one) => one.includes('/services?')).length, 2, requests.refused.join('\n'));
    await put(81);
    await sleep(500);
    assert.equal(portOf(shown), 80);
    await shown.readAnew('prod');
    assert.equal(portOf(shown), 81);
    assert.deepEqual([shown.shown('prod').error, shown.errors], [undefined, []]);
  });

  it('watches Services where the mesh’s ConfigMap may not be, and says what may not', async () => {
    const shown = await tree(await somebody('no-config-maps', [{ resources: ['services'], verbs: READS }]));
    await shown.read('prod');
    shown.open('prod');
    await shown.until('prod', ({ value }) => value?.unwatched?.length === 2);
    assert.deepEqual(notices(shown), ['list configmaps istio-system', `list configmaps ${namespace}`].sort());
    await assertQuiet(shown);
    await put(82);
    await shows(shown, 82);
    assert.deepEqual(shown.errors, []);
  });

  it('names the right to list Services where that is missing, and asks once', async () => {
    const services = { resources: ['services'], verbs: ['get', 'watch'] };
    const shown = await tree(await somebody('no-services', [services, { resources: ['configmaps'], verbs: READS }]));
    const { error, value } = await shown.read('prod');
    assert.deepEqual(
      [error?.code, error?.userMessage.args.verb, error?.userMessage.args.resource, value],
      ['kube.forbidden', 'list', 'services', undefined],
    );
    shown.open('prod');
    assert.ok(shown.nodes('prod').some((node) => node.kind === 'error' && node.error.code === 'kube.forbidden'));
    await assertQuiet(shown);
  });

  it('shows what a namespace’s own rights let it see, and says what of the cluster it does not watch', async () => {
    const own = [{ resources: ['services', 'configmaps'], verbs: READS }];
    const shown = await tree(await somebody('own-namespace', [{ resources: ['services'], verbs: ['get'] }], own));
    assert.equal((await shown.read('prod')).error, undefined);
    assert.equal(portOf(shown), 80);
    shown.open('prod');
    await shown.until('prod', ({ value }) => value?.unwatched?.length === 3);
    assert.deepEqual(notices(shown), ['list configmaps istio-system', 'list services -', 'list services istio-system']);
    await assertQuiet(shown);
    await put(83);
    await shown.readAnew('prod');
    assert.equal(portOf(shown), 83);
  });

  it('stops where the credentials are no longer accepted, offers to sign in, and goes on after that', async () => {
    const account = `watcher-${process.pid}`;
    const role = `--clusterrole=view`;
    const begin = async () => {
      await lab().kubectl(['-n', namespace, 'create', 'serviceaccount', account]);
      const { stdout } = await lab().kubectl(['-n', namespace, 'create', 'token', account, '--duration=10m']);
      await writeFile(file('watcher-token'), stdout);
    };
    await begin();
    await lab().kubectl(['create', 'clusterrolebinding', account, role, `--serviceaccount=${namespace}:${account}`]);
    const { cable, cluster } = await cableOf();
    // Of a release whose kinds are all served here: nothing but the watches meets the refusal.
    const shown = await tree(await altered(cluster, { tokenFile: 'watcher-token' }), { release: '1.0.3' });
    await shown.read('prod');
    shown.open('prod');
    await put(84);
    await shows(shown, 84);
    await lab().kubectl(['-n', namespace, 'delete', 'serviceaccount', account]);
    // The API server takes a token that it has seen for another ten seconds.
    await sleep(11_000);
    await cable.cut();
    await cable.plug();
    await shown.until('prod', ({ error }) => error !== undefined);
    const { error } = shown.shown('prod');
    assert.deepEqual([error?.code, error?.kind, portOf(shown)], ['kube.unauthorized', 'person', 84]);
    assert.deepEqual(new Set(shown.errors.map(({ code }) => code)), new Set(['kube.unauthorized']));
    assert.ok(shown.nodes('prod').some((node) => node.kind === 'error' && node.error.code === 'kube.unauthorized'));
    await assertQuiet(shown);
    await begin();
    await shown.readAnew('prod');
    await put(85);
    await shows(shown, 85);
  });

  it('shows what happened while the API server was dead', async () => {
    const { cable, cluster } = await cableOf();
    const shown = await tree(await altered(cluster));
    await shown.read('prod');
    shown.open('prod');
    await put(86);
    await shows(shown, 86);
    await cable.cut();
    await put(87);
    await killed(() => sleep(200));
    await cable.plug();
    await shows(shown, 87);
    await lab().kubectl(['-n', namespace, 'delete', 'service', 'web']);
    await shown.until('prod', () => portOf(shown) === undefined);
    assert.deepEqual(shown.errors, []);
  });

  it('keeps what it showed beside the error of a server that is too slow, and follows it again', async () => {
    const { cable, cluster } = await cableOf();
    const shown = await tree(await altered(cluster), { timeoutMs: 4000 });
    await shown.read('prod');
    shown.open('prod');
    await put(88);
    await shows(shown, 88);
    cable.hold();
    await put(89);
    const began = Date.now();
    const { error } = await shown.readAnew('prod');
    assert.deepEqual([error?.code, portOf(shown)], ['kube.timeout', 88]);
    assert.ok(Date.now() - began < 12_000);
    cable.release();
    await shows(shown, 89);
    await put(90);
    await shows(shown, 90);
  });
}
