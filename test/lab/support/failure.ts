import assert from 'node:assert/strict';
import type { MeshError } from '../../../src/mesh/errors.ts';

/** The MeshError that the promise rejects with; fails where it resolves, or rejects with something else. */
export async function failure(promise: Promise<unknown>): Promise<MeshError> {
  const error: unknown = await promise.then(
    () => assert.fail('no error'),
    (thrown: unknown) => thrown,
  );
  assert.ok(typeof error === 'object' && error !== null && 'meshError' in error, String(error));
  return error as MeshError;
}
