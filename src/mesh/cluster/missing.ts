import { isMeshError } from '../errors.ts';
import type { CallOptions, ClusterApi, ObjectRef } from '../ports.ts';

/** Whether an object is known not to be there. What may not be read is not known, nor is what a dump that was made without any of its kind lacks. */
export async function isMissing(api: ClusterApi, ref: ObjectRef, options: CallOptions = {}): Promise<boolean> {
  const isThere = await unlessForbidden(true, async () => (await api.get(ref, options)) !== undefined);
  return (
    !isThere && unlessForbidden(true, async () => (await api.list({ apiVersion: ref.apiVersion, kind: ref.kind }, options)).length > 0)
  );
}

async function unlessForbidden(otherwise: boolean, ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (isMeshError(error, 'kube.forbidden')) return otherwise;
    throw error;
  }
}
