import { stringsAt } from '../cluster/untrusted.ts';
import { isMeshError } from '../errors.ts';
import type { ClusterEntry, ValueSource } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';

/** Revisions of istiod and the tags that point at them (istiod facts 1.4): labels of MutatingWebhookConfigurations. */

const KIND = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' } as const;
export const REVISION_LABEL = 'istio.io/rev';
const TAG_LABEL = 'istio.io/tag';

export interface RevisionTag {
  readonly tag: string;
  readonly revision: string;
  readonly ref: ObjectRef;
}

/** Every tag; undefined where the account may not read them. */
export async function readTags(
  entry: ClusterEntry,
  api: ClusterApi,
  options: CallOptions = {},
): Promise<readonly RevisionTag[] | undefined> {
  const found = await api.list(KIND, options).catch((error: unknown) => {
    if (isMeshError(error, 'kube.forbidden')) return undefined;
    throw error;
  });
  return found?.flatMap((object) => tagOf(object, entry.istio.namespace));
}

/** A tag of this control plane: with istio elsewhere than in istio-system the name ends in its namespace. */
function tagOf({ metadata }: KubeObject, namespace: string): readonly RevisionTag[] {
  const { [REVISION_LABEL]: revision, [TAG_LABEL]: tag } = stringsAt({ metadata }, 'metadata', 'labels');
  if (tag === undefined || revision === undefined || tag === '' || revision === '') return [];
  const suffix = namespace === 'istio-system' ? '' : `-${namespace}`;
  if (metadata.name !== `istio-revision-tag-${tag}${suffix}`) return [];
  return [{ tag, revision, ref: { ...KIND, name: metadata.name } }];
}

/** The revision that VMs are joined to: the inventory's (a tag stands for its revision), else the default tag's, else `default`. */
export function chosenRevision({ istio }: ClusterEntry, tags: readonly RevisionTag[] = []): ValueSource {
  const named = tags.find(({ tag }) => tag === (istio.revision ?? 'default'));
  if (named !== undefined)
    return { value: named.revision, from: { kind: 'object', object: named.ref, field: `metadata.labels.${REVISION_LABEL}` } };
  if (istio.revision !== undefined) return { value: istio.revision, from: { kind: 'inventory', field: 'istio.revision' } };
  return { value: 'default', from: { kind: 'rule', facts: 'istiod facts 1.4: no default revision tag' } };
}

export async function readRevision(entry: ClusterEntry, api: ClusterApi, options?: CallOptions): Promise<ValueSource> {
  return chosenRevision(entry, await readTags(entry, api, options));
}
