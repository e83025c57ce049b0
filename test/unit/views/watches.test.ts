import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { Seen } from '../../../src/editor/clusterReadings.ts';
import { digestsOf } from '../../../src/editor/watchNews.ts';
import type { ChangedObject } from '../../../src/mesh/mesh.ts';
import type { KubeObject, ObjectQuery, WatchEvent, WatchOptions } from '../../../src/mesh/ports.ts';
import { Watches } from '../../../src/views/watches.ts';

type Listener = (event: { readonly element: object }) => void;
type Parts = ConstructorParameters<typeof Watches>;

describe('watches of the tree', () => {
  it('begin again after a failure when the cluster answers again, and not before', async () => {
    let expand: Listener = () => assert.fail('nobody listens');
    let factsChange: () => void = () => assert.fail('nobody listens');
    const subscription = { dispose: () => undefined };
    const view = {
      visible: true,
      onDidExpandElement: (listener: Listener) => ((expand = listener), subscription),
      onDidCollapseElement: () => subscription,
      onDidChangeVisibility: () => subscription,
    };
    let begun = 0;
    const refused = new Error('401');
    const api = { watch: async () => ((begun += 1), Promise.reject(refused)), close: async () => undefined };
    const session = {
      onDidReset: () => subscription,
      file: { onDidChange: () => subscription },
      inventory: async () => ({ clusters: [{ name: 'prod', context: 'prod' }] }),
      backend: async () => ({ connections: { cluster: async () => api } }),
      mesh: async () => ({
        watched: async () => [
          { apiVersion: 'v1', kind: 'Service' },
          { apiVersion: 'v1', kind: 'Endpoints' },
        ],
      }),
    };
    let held: object = { value: {}, loading: false };
    let reads = 0;
    const facts = {
      onDidChange: (listener: () => void) => ((factsChange = listener), subscription),
      cluster: () => held,
      takeSeen: () => undefined,
      readCluster: async () => void (reads += 1),
      setUnwatched: () => undefined,
    };
    const watches = new Watches(...([view, session, facts, { error: () => undefined }] as unknown as Parts));
    expand({ element: { kind: 'cluster', cluster: { name: 'prod' } } });
    await sleep(20);
    assert.deepEqual([begun, reads], [2, 1], 'both kinds were watched, and the node is read once to show what is wrong');
    factsChange();
    await sleep(20);
    assert.equal(begun, 2, 'a watch that was refused is not asked for again');
    held = { value: {}, error: refused, loading: false };
    factsChange();
    held = { value: {}, loading: false };
    factsChange();
    await sleep(20);
    assert.equal(begun, 4, 'after the cluster failed and answered again, it is watched again');
    watches.dispose();
  });

  it('close their connections when the node is closed', async () => {
    const listeners: { expand?: Listener; collapse?: Listener } = {};
    const subscription = { dispose: () => undefined };
    const view = {
      visible: true,
      onDidExpandElement: (listener: Listener) => ((listeners.expand = listener), subscription),
      onDidCollapseElement: (listener: Listener) => ((listeners.collapse = listener), subscription),
      onDidChangeVisibility: () => subscription,
    };
    const seen: string[] = [];
    const api = {
      watch: async (query: { readonly kind: string }, _: unknown, { signal }: { readonly signal: AbortSignal }) => {
        seen.push(`watch ${query.kind}`);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      close: async () => void seen.push('close'),
    };
    const session = {
      onDidReset: () => subscription,
      file: { onDidChange: () => subscription },
      inventory: async () => ({ clusters: [{ name: 'prod', context: 'prod' }] }),
      backend: async () => ({ connections: { cluster: async () => api } }),
      mesh: async () => ({
        watched: async () => [
          { apiVersion: 'v1', kind: 'Service' },
          { apiVersion: 'v1', kind: 'Endpoints' },
        ],
      }),
    };
    const facts = {
      onDidChange: () => subscription,
      cluster: () => ({ value: {}, loading: false }),
      takeSeen: () => undefined,
      setUnwatched: () => undefined,
    };
    const log = { error: (_: string, error: Error) => assert.fail(error.message) };
    const watches = new Watches(...([view, session, facts, log] as unknown as Parts));
    const element = { kind: 'cluster', cluster: { name: 'prod' } };
    listeners.expand?.({ element });
    await sleep(20);
    assert.deepEqual(seen, ['watch Service', 'watch Endpoints']);
    listeners.collapse?.({ element });
    await sleep(20);
    assert.deepEqual(seen.slice(2), ['close']);
    watches.dispose();
  });

  it('have a cluster read again for what is other than the reading saw, and not because they begin', async () => {
    const subscription = { dispose: () => undefined };
    const service = (name: string, port = 80): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'shop', name },
      spec: { ports: [{ port }] },
    });
    const end = { resourceVersion: '7', present: [] };
    const known = { digests: digestsOf([service('web'), service('db')]) };
    const readsAfter = async (present: readonly KubeObject[], seen: Seen = known): Promise<readonly string[]> => {
      const listeners: { expand?: Listener } = {};
      const view = {
        visible: true,
        onDidExpandElement: (listener: Listener) => ((listeners.expand = listener), subscription),
        onDidCollapseElement: () => subscription,
        onDidChangeVisibility: () => subscription,
      };
      const api = {
        watch: async (_: ObjectQuery, told: (event: WatchEvent) => void, { signal, onListed, from }: WatchOptions) => {
          assert.equal(from, seen.end);
          for (const object of present) told({ type: 'ADDED', object });
          // At the beginning, or after a gap of one that went on from a list.
          onListed?.();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        close: async () => undefined,
      };
      const session = {
        onDidReset: () => subscription,
        file: { onDidChange: () => subscription },
        inventory: async () => ({ clusters: [{ name: 'prod', context: 'prod' }] }),
        backend: async () => ({ connections: { cluster: async () => api } }),
        mesh: async () => ({ watched: async () => [{ apiVersion: 'v1', kind: 'Service' }] }),
      };
      const reads: string[] = [];
      const facts = {
        onDidChange: () => subscription,
        cluster: () => ({ value: {}, loading: false }),
        takeSeen: () => seen,
        setUnwatched: () => undefined,
        readChanged: async (_: string, changed: readonly ChangedObject[] | 'all') =>
          void reads.push(changed === 'all' ? changed : changed.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).join()),
      };
      const log = { error: (_: string, error: Error) => assert.fail(error.message) };
      const watches = new Watches(...([view, session, facts, log] as unknown as Parts));
      listeners.expand?.({ element: { kind: 'cluster', cluster: { name: 'prod' } } });
      await sleep(100);
      watches.dispose();
      return reads;
    };
    assert.deepEqual(await readsAfter([service('web'), service('db')]), [], 'as it was read');
    assert.deepEqual(await readsAfter([service('web')]), ['Service shop/db'], 'one went between the reading and the watch');
    assert.deepEqual(await readsAfter([service('web'), service('db', 81)]), ['Service shop/db'], 'one changed');
    assert.deepEqual(await readsAfter([service('web'), service('db'), service('new')]), ['Service shop/new'], 'one came');
    assert.deepEqual(
      await readsAfter([service('db', 81), service('new')]),
      ['Service shop/db,Service shop/new,Service shop/web'],
      'at once',
    );
    assert.deepEqual(await readsAfter([], { ...known, end }), [], 'a watch that goes on from the list tells what changed alone');
    assert.deepEqual(await readsAfter([service('db', 81)], { ...known, end }), ['Service shop/db']);
  });

  it('have a cluster read as a whole where nobody knows what its reading saw', async () => {
    const subscription = { dispose: () => undefined };
    const listeners: { expand?: Listener } = {};
    const view = {
      visible: true,
      onDidExpandElement: (listener: Listener) => ((listeners.expand = listener), subscription),
      onDidCollapseElement: () => subscription,
      onDidChangeVisibility: () => subscription,
    };
    const api = {
      // What was there when the tree was read is gone.
      watch: async (_: ObjectQuery, __: unknown, { signal, onListed }: WatchOptions) => {
        onListed?.();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      close: async () => undefined,
    };
    const session = {
      onDidReset: () => subscription,
      file: { onDidChange: () => subscription },
      inventory: async () => ({ clusters: [{ name: 'prod', context: 'prod' }] }),
      backend: async () => ({ connections: { cluster: async () => api } }),
      mesh: async () => ({ watched: async () => [{ apiVersion: 'v1', kind: 'Service' }] }),
    };
    const reads: unknown[] = [];
    const facts = {
      onDidChange: () => subscription,
      cluster: () => ({ value: {}, loading: false }),
      takeSeen: () => undefined,
      readChanged: async (_: string, changed: unknown) => void reads.push(changed),
      setUnwatched: () => undefined,
    };
    const log = { error: (_: string, error: Error) => assert.fail(error.message) };
    const watches = new Watches(...([view, session, facts, log] as unknown as Parts));
    listeners.expand?.({ element: { kind: 'cluster', cluster: { name: 'prod' } } });
    await sleep(100);
    watches.dispose();
    assert.deepEqual(reads, ['all']);
  });

  describe('of what files are made from', () => {
    type Told = (event: WatchEvent) => void;
    const subscription = { dispose: () => undefined };
    const configMap = (mesh: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'istio-system', name: 'istio', resourceVersion: mesh },
      data: { mesh },
    });
    const element = { kind: 'cluster', cluster: { name: 'prod' } };
    const mesh = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'istio-system', fieldSelector: 'metadata.name=istio', inputOf: 'all' };
    const root = { ...mesh, namespace: 'vm', fieldSelector: 'metadata.name=istio-ca-root-cert', inputOf: { namespace: 'vm' } };

    function start(list: () => readonly object[] | Promise<readonly object[]>, refuse: (query: ObjectQuery) => boolean = () => false) {
      const listeners: { expand?: Listener; visible?: (event: { visible: boolean }) => void; inventory?: () => void } = {};
      const begun: ObjectQuery[] = [];
      const tell = new Map<string, Told>();
      const touched: unknown[] = [];
      const edits: boolean[] = [];
      const read: string[] = [];
      const errors: string[] = [];
      let unwatched: readonly MeshError[] = [];
      const api = {
        watch: async (query: ObjectQuery, told: Told, { signal }: { readonly signal: AbortSignal }) => {
          begun.push(query);
          if (refuse(query)) throw new MeshError({ code: 'kube.forbidden', userMessage: message('kube.forbidden') });
          tell.set(query.fieldSelector ?? query.kind, told);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        close: async () => undefined,
      };
      const view = {
        visible: true,
        onDidExpandElement: (listener: Listener) => ((listeners.expand = listener), subscription),
        onDidCollapseElement: () => subscription,
        onDidChangeVisibility: (listener: (event: { visible: boolean }) => void) => ((listeners.visible = listener), subscription),
      };
      const session = {
        onDidReset: () => subscription,
        file: { onDidChange: (listener: () => void) => ((listeners.inventory = listener), subscription) },
        inventory: async () => ({ clusters: [{ name: 'prod', context: 'prod' }] }),
        backend: async () => ({ connections: { cluster: async () => api } }),
        mesh: async () => ({ watched: async () => list() }),
      };
      const facts = {
        onDidChange: () => subscription,
        cluster: () => ({ value: {}, loading: false }),
        takeSeen: () => undefined,
        readCluster: async (name: string) => void read.push(name),
        readTouched: async (...call: unknown[]) => void touched.push(call),
        readEdited: async () => void edits.push(true),
        readChanged: async () => undefined,
        setUnwatched: (_: string, refusals: readonly MeshError[]) => void (unwatched = refusals),
      };
      const log = { error: (_: string, error: Error) => void errors.push(error.message) };
      const watches = new Watches(...([view, session, facts, log] as unknown as Parts));
      listeners.expand?.({ element });
      return { watches, listeners, begun, tell, touched, edits, read, errors, unwatched: () => unwatched.map(({ code }) => code) };
    }

    it('is that very object; its changes, several as one, have the machines asked that it touches, and its first sight none', async () => {
      const { watches, begun, tell, touched } = start(() => [mesh, root]);
      await sleep(20);
      assert.deepEqual(
        begun.map(({ kind, namespace, fieldSelector }) => [kind, namespace, fieldSelector]),
        [
          ['ConfigMap', 'istio-system', 'metadata.name=istio'],
          ['ConfigMap', 'vm', 'metadata.name=istio-ca-root-cert'],
        ],
      );
      const told = tell.get('metadata.name=istio') ?? assert.fail('not watched');
      told({ type: 'ADDED', object: configMap('a: 1') });
      told({ type: 'MODIFIED', object: { ...configMap('a: 1'), metadata: { ...configMap('a: 1').metadata, labels: { by: 'someone' } } } });
      await sleep(400);
      assert.deepEqual(touched, []);
      told({ type: 'MODIFIED', object: configMap('a: 2') });
      await sleep(10);
      told({ type: 'MODIFIED', object: configMap('a: 3') });
      await sleep(400);
      assert.deepEqual(touched, [['prod', ['all', 'all']]]);
      watches.dispose();
    });

    it('counts as changed when it became another while nobody looked', async () => {
      const { watches, tell, listeners, touched } = start(() => [root]);
      const name = 'metadata.name=istio-ca-root-cert';
      await sleep(20);
      tell.get(name)?.({ type: 'ADDED', object: configMap('one root') });
      listeners.visible?.({ visible: false });
      listeners.visible?.({ visible: true });
      await sleep(20);
      tell.get(name)?.({ type: 'ADDED', object: configMap('another root') });
      await sleep(400);
      assert.deepEqual(touched, [['prod', [{ namespace: 'vm' }]]]);
      watches.dispose();
    });

    it('is the inventory, too: machines of an edited entry are asked where somebody looks, or looks again', async () => {
      const { watches, listeners, edits } = start(() => []);
      await sleep(20);
      assert.equal(edits.length, 0);
      listeners.inventory?.();
      assert.equal(edits.length, 1);
      listeners.visible?.({ visible: false });
      listeners.inventory?.();
      assert.equal(edits.length, 1);
      listeners.visible?.({ visible: true });
      assert.equal(edits.length, 2);
      watches.dispose();
    });

    const kinds = { apiVersion: 'v1', kind: 'Service' };
    for (const refused of ['ConfigMap', 'Service'])
      it(`may be refused, as what is shown may; that is told, and the rest is watched: ${refused}`, async () => {
        const { watches, begun, errors, read, tell, unwatched, listeners } = start(
          () => [kinds, mesh],
          ({ kind }) => kind === refused,
        );
        await sleep(20);
        assert.equal(begun.length, 2);
        assert.deepEqual([errors, read, [...tell.keys()]], [[], [], [refused === 'Service' ? 'metadata.name=istio' : 'Service']]);
        assert.deepEqual(unwatched(), ['kube.forbidden']);
        listeners.visible?.({ visible: false });
        listeners.visible?.({ visible: true });
        await sleep(20);
        assert.deepEqual([begun.length, unwatched()], [4, ['kube.forbidden']], 'who looks again may have got the right since');
        watches.dispose();
      });

    it('is that of the newest inventory, also of one that changes while it is asked', async () => {
      const slow = Promise.withResolvers<readonly object[]>();
      const answers = [slow.promise];
      const { watches, listeners, begun } = start(() => answers.shift() ?? [mesh, root]);
      await sleep(20);
      listeners.inventory?.();
      slow.resolve([mesh]);
      await sleep(20);
      assert.deepEqual(
        begun.map(({ namespace }) => namespace),
        ['istio-system', 'vm'],
      );
      watches.dispose();
    });

    it('is watched anew when the inventory makes other objects matter, and only then', async () => {
      let list: readonly object[] = [mesh];
      const { watches, listeners, begun } = start(() => list);
      await sleep(20);
      listeners.inventory?.();
      await sleep(20);
      assert.equal(begun.length, 1);
      list = [mesh, root];
      listeners.inventory?.();
      await sleep(20);
      assert.equal(begun.length, 3);
      watches.dispose();
    });
  });
});
