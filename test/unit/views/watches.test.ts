import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
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
      readCluster: async () => void (reads += 1),
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
      inventory: async () => ({ clusters: [{ name: 'prod', context: 'prod' }] }),
      backend: async () => ({ connections: { cluster: async () => api } }),
      mesh: async () => ({
        watched: async () => [
          { apiVersion: 'v1', kind: 'Service' },
          { apiVersion: 'v1', kind: 'Endpoints' },
        ],
      }),
    };
    const facts = { onDidChange: () => subscription, cluster: () => ({ value: {}, loading: false }) };
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
});
