import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListEnd, ObjectQuery } from '../../../src/mesh/ports.ts';
import { failure, serve, status, type Reply, type TestServer } from './server.ts';

const QUERY: ObjectQuery = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n' };

const map = (name: string, resourceVersion: string, uid = name) => ({ metadata: { name, namespace: 'n', uid, resourceVersion } });
const list = (resourceVersion: string, ...items: readonly unknown[]): Reply => ({ body: { metadata: { resourceVersion }, items } });
const stream = (...lines: readonly unknown[]): Reply => ({ stream: lines });
const ended = (...lines: readonly unknown[]): Reply => ({ stream: lines, end: true });

describe('a watch', () => {
  let server: TestServer;
  const events: string[] = [];
  let stop: AbortController;
  /** How many events had been told when a list was complete. */
  let listed: readonly number[] = [];

  beforeEach(() => {
    events.length = 0;
    listed = [];
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await server.close();
  });

  /** Lists and watches answer in the order given; the last watch stays silent. */
  async function watching(lists: readonly Reply[], watches: readonly Reply[]): Promise<{ done: Promise<void> }> {
    const remaining = { lists: [...lists], watches: [...watches] };
    server = await serve(
      ({ path }) => (path.includes('watch=true') ? remaining.watches.shift() : remaining.lists.shift()) ?? { stream: [] },
    );
    const api = await server.api();
    return {
      done: api.watch(QUERY, ({ type, object }) => events.push(`${type} ${object.metadata.name}`), {
        signal: stop.signal,
        onListed: () => (listed = listed.concat(events.length)),
      }),
    };
  }

  /** Waits for so many events and watches, and whether there are more. */
  async function until(count: number, watches: number): Promise<void> {
    for (let waited = 0; (events.length < count || starts().length < watches) && waited < 3000; waited += 5) await sleep(5);
    await sleep(30);
  }

  const starts = () =>
    server.asked
      .map(({ path }) => new URLSearchParams(path.split('?')[1]))
      .filter((query) => query.has('watch'))
      .map((query) => query.get('resourceVersion'));

  it('lists again after 410 and reports what the gap hid', async () => {
    const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } };
    await watching(
      [list('10', map('a', '1'), map('b', '2')), list('30', map('b', '25'), map('c', '26'), map('d', '27', 'new'))],
      [stream({ type: 'ADDED', object: map('d', '11', 'old') }, gone)],
    );
    await until(8, 2);
    assert.deepEqual(events, ['ADDED a', 'ADDED b', 'ADDED d', 'DELETED a', 'DELETED d', 'MODIFIED b', 'ADDED c', 'ADDED d']);
    assert.deepEqual(starts(), ['10', '30']);
    assert.deepEqual(listed, [2, 8]);
  });

  it('goes on from a list that somebody made, and after a gap reports against what that list held', async () => {
    const lists = [list('10', map('a', '1'), map('b', '2')), list('30', map('b', '2'), map('c', '26'))];
    const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } };
    const watches = [stream({ type: 'ADDED', object: map('d', '11') }, gone)];
    server = await serve(({ path }) => (path.includes('watch=true') ? watches.shift() : lists.shift()) ?? { stream: [] });
    const api = await server.api();
    const ends: ListEnd[] = [];
    assert.equal((await api.list(QUERY, { onEnd: (end) => ends.push(end) })).length, 2);
    const [from] = ends;
    void api.watch(QUERY, ({ type, object }) => events.push(`${type} ${object.metadata.name}`), {
      signal: stop.signal,
      from,
      onListed: () => (listed = listed.concat(events.length)),
    });
    await until(4, 2);
    assert.deepEqual(starts(), ['10', '30']);
    assert.equal(lists.length, 0, 'one list for the reading and one after the gap');
    assert.deepEqual(events, ['ADDED d', 'DELETED a', 'DELETED d', 'ADDED c']);
    assert.deepEqual(listed, [4]);
  });

  it('goes on at the last bookmark', async () => {
    await watching(
      [list('10')],
      [
        ended(
          { type: 'ADDED', object: map('a', '12') },
          { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '99' } } },
        ),
      ],
    );
    await until(1, 2);
    assert.deepEqual(starts(), ['10', '99']);
    assert.deepEqual(events, ['ADDED a']);
  });

  it('lists again after a 410 answer as the answer itself', async () => {
    await watching([list('10', map('a', '1')), list('20', map('a', '1'))], [status(410, 'Expired', 'too old'), ended()]);
    await until(1, 2);
    assert.deepEqual(events, ['ADDED a']);
    assert.deepEqual(starts().slice(0, 2), ['10', '20']);
  });

  it('does not hammer a server that ends each watch at once', async () => {
    server = await serve(({ path }) => (path.includes('watch=true') ? ended() : list('10')));
    const done = (await server.api()).watch(QUERY, () => undefined, { signal: stop.signal });
    await until(0, 3);
    await sleep(300);
    assert.ok(server.asked.length < 40, `${server.asked.length} requests`);
    assert.ok(server.asked.length > 3);
    stop.abort();
    await done;
  });

  const cases: readonly (readonly [string, readonly Reply[], readonly Reply[]])[] = [
    ['kube.forbidden', [status(403, 'Forbidden', 'no')], []],
    ['kube.unauthorized', [list('1')], [status(401, 'Unauthorized', 'no')]],
    ['kube.forbidden', [list('1')], [stream({ type: 'ERROR', object: { kind: 'Status', code: 403, message: 'no' } })]],
    ['kube.server', [status(500, 'InternalError', 'no')], []],
  ];
  for (const [code, lists, watches] of cases) {
    it(`rejects with ${code} ${watches.length === 0 ? 'at first' : 'later'}`, async () => {
      const { done } = await watching(lists, watches);
      assert.equal((await failure(done)).code, code);
    });
  }

  it('survives a failed list and a failed watch once it has begun', async () => {
    const { done } = await watching(
      [list('1', map('a', '1')), status(500, 'InternalError', 'no'), list('5', map('b', '5'))],
      [status(503, 'ServiceUnavailable', 'no'), status(410, 'Expired', 'too old')],
    );
    await until(3, 3);
    assert.deepEqual(events, ['ADDED a', 'DELETED a', 'ADDED b']);
    stop.abort();
    await done;
  });

  it('ends when its signal aborts', async () => {
    const { done } = await watching([list('1')], []);
    await sleep(30);
    stop.abort();
    await done;
    assert.equal(events.length, 0);
  });

  it('rejects as cancelled when the API is closed', async () => {
    server = await serve(({ path }) => (path.includes('watch=true') ? { stream: [] } : list('1')));
    const api = await server.api();
    const done = failure(api.watch(QUERY, () => undefined, { signal: stop.signal }));
    await sleep(30);
    await api.close();
    assert.equal((await done).code, 'cancelled');
  });

  it('passes on what the listener throws', async () => {
    server = await serve(({ path }) => (path.includes('watch=true') ? stream({ type: 'ADDED', object: map('a', '2') }) : list('1')));
    const api = await server.api();
    const error = await failure(
      api.watch(
        QUERY,
        () => {
          throw new RangeError('mine');
        },
        { signal: stop.signal },
      ),
    );
    assert.equal(error.code, 'unexpected');
    assert.ok(error.cause instanceof RangeError);
  });
});
