import type { ClusterScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, KubeObject, ObjectRef } from '../ports.ts';
import { refName } from './problems.ts';

/** Applies one object: a no-op is not needed; undo deletes what was created and puts back what was changed. */
export function objectStep({ api, entry }: ClusterScope, object: KubeObject, notes: readonly StepDetail[] = []): Step {
  const ref: ObjectRef = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
  };
  let before: KubeObject | undefined;
  let after: KubeObject | undefined;
  return {
    id: `apply-${object.kind.toLowerCase()}-${refName(ref)}`,
    title: message('citadel.apply.title', { kind: object.kind, name: refName(ref) }),
    target: entry.context,
    async preview(options) {
      const present = await api.get(ref, options);
      const needed = present === undefined || (await api.apply(object, { ...options, dryRun: true })).changed;
      const verb = present === undefined ? 'create' : needed ? 'change' : 'keep';
      return { needed, details: [{ kind: 'object', verb, ref }, ...notes] };
    },
    async run(options) {
      before = await api.get(ref, options);
      after = (await api.apply(object, options)).object;
    },
    undo: (options) => putBack(api, ref, before, after, options),
  };
}

async function putBack(
  api: ClusterScope['api'],
  ref: ObjectRef,
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  options?: CallOptions,
): Promise<void> {
  if (before === undefined) {
    await api.delete(ref, { ...options, uid: after?.metadata.uid });
    return;
  }
  const present = await api.get(ref, options);
  if (present === undefined) return;
  await api.replace({ ...before, metadata: { ...before.metadata, resourceVersion: present.metadata.resourceVersion } }, options);
}
