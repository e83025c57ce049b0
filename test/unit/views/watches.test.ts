import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Watches } from '../../../src/views/watches.ts';

type Listener = (event: { readonly element: object }) => void;
type Parts = ConstructorParameters<typeof Watches>;

describe('watches of the tree', () => {
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
