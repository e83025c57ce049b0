// Waiting for what another program brings about.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `condition` holds; fails with `what` after `limit` milliseconds. */
export async function eventually(what: string, condition: () => Promise<boolean>, limit = 20_000): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${limit} ms: ${what}`);
    await sleep(200);
  }
}
