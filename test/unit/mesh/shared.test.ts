import assert from 'node:assert/strict';
import { cancelled, isMeshError } from '../../../src/mesh/errors.ts';
import { Shared } from '../../../src/mesh/shared.ts';

/** Opens after a while, or stops with the signal; counts. */
function opener(): { open: (signal?: AbortSignal) => Promise<number>; count: () => number } {
  let count = 0;
  const open = (signal?: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      count += 1;
      const value = count;
      const timer = setTimeout(() => resolve(value), 5);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(cancelled());
      });
    });
  return { open, count: () => count };
}

describe('a shared value', () => {
  it('is opened once for all who ask', async () => {
    const shared = new Shared<number>();
    const { open, count } = opener();
    assert.deepEqual(await Promise.all([shared.get('a', open), shared.get('a', open), shared.get('b', open)]), [1, 1, 2]);
    assert.equal(await shared.get('a', open), 1);
    assert.equal(count(), 2);
    assert.deepEqual(await shared.takeAll(), [1, 2]);
    assert.equal(await shared.get('a', open), 3);
  });

  it('that could not be opened is opened again by the next who asks', async () => {
    const shared = new Shared<number>();
    const { open } = opener();
    await assert.rejects(shared.get('a', () => Promise.reject(new Error('no'))));
    assert.equal(await shared.get('a', open), 1);
  });

  it('is not lost to the others when one who waits gives up', async () => {
    const shared = new Shared<number>();
    const { open, count } = opener();
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [shared.get('a', open, first.signal), shared.get('a', open, second.signal), shared.get('a', open)];
    const settled = Promise.allSettled(waiting);
    first.abort();
    const [given, other, third] = await settled;
    assert.ok(given?.status === 'rejected' && isMeshError(given.reason, 'cancelled'));
    assert.deepEqual(
      [other, third],
      [
        { status: 'fulfilled', value: 2 },
        { status: 'fulfilled', value: 2 },
      ],
    );
    assert.equal(count(), 2);
  });
});
