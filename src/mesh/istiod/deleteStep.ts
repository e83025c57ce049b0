import type { ClusterScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Step } from '../plan.ts';
import type { KubeObject, ObjectRef } from '../ports.ts';
import { refName } from '../problem.ts';

/** Takes one object away, that very one; undo makes it again as it was written. */
export function deleteStep({ api, entry }: ClusterScope, ref: ObjectRef): Step {
  let before: KubeObject | undefined;
  return {
    id: `delete-${ref.kind.toLowerCase()}-${refName(ref)}`,
    title: message('istiod.delete.title', { kind: ref.kind, name: refName(ref) }),
    target: entry.context,
    async preview(options) {
      const needed = (await api.get(ref, options)) !== undefined;
      return { needed, details: needed ? [{ kind: 'object', verb: 'delete', ref }] : [] };
    },
    async run(options) {
      before = await api.get(ref, options);
      if (before !== undefined) await api.delete(ref, { ...options, uid: before.metadata.uid });
    },
    async undo(options) {
      if (before === undefined) return;
      const { name, namespace, labels, annotations } = before.metadata;
      await api.apply({ ...before, status: undefined, metadata: { name, namespace, labels, annotations } }, options);
    },
  };
}
