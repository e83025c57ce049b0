import { isDeepStrictEqual } from 'node:util';
import type { ClusterScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, KubeObject, ObjectRef } from '../ports.ts';
import { problem, refName } from '../problem.ts';

export function refOf({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectRef {
  return { apiVersion, kind, namespace, name };
}

/**
 * Applies one object: a no-op is not needed; undo deletes what was created and puts back what was changed. An object that somebody else has changed in the
 * meantime is left alone: the undo throws `cluster.changed-since` (kind person).
 * `manifest`: YAML of the object, where the preview is to show it.
 */
export function objectStep({ api, entry }: ClusterScope, object: KubeObject, notes: readonly StepDetail[] = [], manifest?: string): Step {
  const ref = refOf(object);
  let before: KubeObject | undefined;
  let after: KubeObject | undefined;
  return {
    id: `apply-${object.kind.toLowerCase()}-${refName(ref)}`,
    title: message('cluster.apply.title', { kind: object.kind, name: refName(ref) }),
    target: entry.context,
    async preview(options) {
      const present = await api.get(ref, options);
      const needed = present === undefined || (await api.apply(object, { ...options, dryRun: true })).changed;
      const verb = present === undefined ? 'create' : needed ? 'change' : 'keep';
      return { needed, details: [{ kind: 'object', verb, ref, ...(manifest === undefined ? {} : { manifest }) }, ...notes] };
    },
    async run(options) {
      before = await api.get(ref, options);
      after = (await api.apply(object, options)).object;
    },
    async undo(options) {
      if (after !== undefined) await putBack({ api, entry }, { ref, object, before, after }, options);
    },
  };
}

interface Written {
  readonly ref: ObjectRef;
  /** What was asked for. */
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
  /** What the cluster made of it. */
  readonly after: KubeObject;
}

async function putBack(
  { api, entry }: Pick<ClusterScope, 'api' | 'entry'>,
  { ref, object, before, after }: Written,
  options?: CallOptions,
): Promise<void> {
  const present = await api.get(ref, options);
  if (present === undefined) return;
  // What controllers add to an object that we created goes with it; what they add to another's must not be lost.
  const isOurs = before === undefined ? holds(written(present), written(object)) : isDeepStrictEqual(written(present), written(after));
  if (present.metadata.uid !== after.metadata.uid || !isOurs)
    throw problem('cluster.changed-since', { kind: ref.kind, name: refName(ref), context: entry.context }, { kind: 'person' });
  if (before === undefined) await api.delete(ref, { ...options, uid: after.metadata.uid });
  else await api.replace({ ...before, metadata: { ...before.metadata, resourceVersion: present.metadata.resourceVersion } }, options);
}

/** What people write of an object: without what the server and its controllers keep there. */
function written(object: KubeObject): unknown {
  const { labels = {}, annotations = {} } = object.metadata;
  return { ...object, status: undefined, metadata: { labels, annotations } };
}

/** Everything of `part` is in `whole`, which may have more. Lists are compared member by member. */
function holds(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null) return false;
  if (Array.isArray(part) && !(Array.isArray(whole) && whole.length === part.length)) return false;
  return Object.entries(part).every(
    ([key, value]) => value === undefined || holds((whole as Readonly<Record<string, unknown>>)[key], value),
  );
}
