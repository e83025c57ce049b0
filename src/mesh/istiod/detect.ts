import { listAt, stringsAt, textAt } from '../cluster/untrusted.ts';
import type { ClusterScope } from '../era.ts';
import type { ClusterEntry, ControlPlane, ValueSource } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import { problem } from '../problem.ts';
import { readDetails } from './details.ts';
import { readable, readValues } from './meshData.ts';
import { isServed, plainRelease } from './release.ts';
import { chosenRevision, readTags, REVISION_LABEL } from './revisions.ts';

const holders = [
  { apiVersion: 'apps/v1', kind: 'Deployment', path: ['spec', 'template', 'spec', 'containers'] },
  { apiVersion: 'v1', kind: 'Pod', path: ['spec', 'containers'] },
] as const;

/** Labels that charts put the release into. */
const labelKeys = ['app.kubernetes.io/version', 'helm.sh/chart', 'istio.io/version', 'version'] as const;

/**
 * Finds istiod in the control plane's namespace, and its release: from the image's tag, else from a label, else from the values it was installed with
 * (istiod facts 1.4). Undefined where there is no istiod, here or elsewhere. Throws `istiod.release-unknown`.
 */
export async function detect(entry: ClusterEntry, api: ClusterApi, options: CallOptions = {}): Promise<ControlPlane | undefined> {
  const [found, tags] = await Promise.all([istiods(entry, api, options), readTags(entry, api, options)]);
  const { revision, chosen, present } = choose(entry, found, tags);
  const remote = chosen === undefined ? await remoteService(entry, api, options) : undefined;
  if (chosen === undefined && remote === undefined) return undefined;
  const source =
    (chosen === undefined || found === undefined ? undefined : releaseOf(chosen, found.path)) ??
    (await installedRelease(entry, api, revision.value, options));
  if (source === undefined) {
    const name = chosen?.metadata.name ?? remote?.name ?? 'istiod';
    throw problem('istiod.release-unknown', { name: `${entry.istio.namespace}/${name}` }, { kind: 'bad-input', field: 'istio.release' });
  }
  const release = plainRelease(source.value) ?? source.value;
  const facts = { entry, api, revision, tags: tags ?? [], present, istiod: chosen, release };
  return { era: 'istiod', release, source, ...(await readDetails(facts, options)) };
}

/** What is told of an istiod whose release the inventory pins; nothing of what runs it where the account may not see that. */
export async function pinnedDetails(
  { entry, api, controlPlane: { release } }: Pick<ClusterScope, 'entry' | 'api' | 'controlPlane'>,
  options: CallOptions = {},
): Promise<Pick<ControlPlane, 'details' | 'limits'>> {
  const [found, tags] = await Promise.all([readable(istiods(entry, api, options)), readTags(entry, api, options)]);
  const { revision, chosen, present } = choose(entry, found, tags);
  const remote = chosen === undefined ? await remoteService(entry, api, options) : undefined;
  const { details, limits } = await readDetails({ entry, api, revision, tags: tags ?? [], present, istiod: chosen, release }, options);
  // That istiod runs elsewhere is told by what leads there, not by what is not seen here.
  return chosen === undefined && remote === undefined ? { details } : { details, limits };
}

function choose(
  entry: ClusterEntry,
  found: Awaited<ReturnType<typeof istiods>>,
  tags: Awaited<ReturnType<typeof readTags>>,
): { readonly revision: ValueSource; readonly chosen: KubeObject | undefined; readonly present: readonly string[] } {
  const revision = chosenRevision(entry, tags);
  const chosen = found?.objects.find((object) => revisionOf(object) === revision.value) ?? found?.objects[0];
  return { revision, chosen, present: (found?.objects ?? []).map(revisionOf) };
}

/** The control plane for a release that the inventory pins; undefined where the release is another era's. */
export function pinned(release: string): ControlPlane | undefined {
  if (!isServed(release)) return undefined;
  return { era: 'istiod', release, source: { value: release, from: { kind: 'inventory', field: 'istio.release' } } };
}

type Path = (typeof holders)[number]['path'];

/** What runs istiod: its Deployments, else its Pods. */
async function istiods(
  { istio: { namespace } }: ClusterEntry,
  api: ClusterApi,
  options: CallOptions,
): Promise<{ readonly objects: readonly KubeObject[]; readonly path: Path } | undefined> {
  for (const { apiVersion, kind, path } of holders) {
    const objects = await api.list({ apiVersion, kind, namespace, labelSelector: 'app=istiod' }, options);
    if (objects.length > 0) return { objects, path };
  }
  return undefined;
}

/** Without an istiod of its own, a cluster has a Service that leads to another's (istiod facts 5: primary-remote). */
async function remoteService(
  { istio: { namespace } }: ClusterEntry,
  api: ClusterApi,
  options: CallOptions,
): Promise<ObjectRef | undefined> {
  for (const name of ['istiod-remote', 'istiod']) {
    const ref: ObjectRef = { apiVersion: 'v1', kind: 'Service', namespace, name };
    const service = await readable(api.get(ref, options));
    if (service !== undefined && Object.keys(stringsAt(service, 'spec', 'selector')).length === 0) return ref;
  }
  return undefined;
}

function revisionOf(object: KubeObject): string {
  return stringsAt(object, 'metadata', 'labels')[REVISION_LABEL] ?? 'default';
}

function releaseOf(object: KubeObject, path: Path): ValueSource | undefined {
  const ref: ObjectRef = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
  };
  const containers = listAt(object, ...path).map((container, index) => ({
    name: textAt(container, 'name'),
    tag: imageTag(textAt(container, 'image') ?? ''),
    index,
  }));
  const container = containers.find(({ name }) => name === 'discovery') ?? containers[0];
  if (container?.tag !== undefined && plainRelease(container.tag) !== undefined)
    return { value: container.tag, from: { kind: 'object', object: ref, field: `${path.join('.')}[${container.index}].image` } };
  const labels = stringsAt(object, 'metadata', 'labels');
  const key = labelKeys.find((one) => plainRelease(labels[one] ?? '') !== undefined);
  return key === undefined
    ? undefined
    : { value: labels[key] ?? '', from: { kind: 'object', object: ref, field: `metadata.labels.${key}` } };
}

async function installedRelease(
  entry: ClusterEntry,
  api: ClusterApi,
  revision: string,
  options: CallOptions,
): Promise<ValueSource | undefined> {
  const found = await readValues({ entry, api }, revision, options);
  const tag = textAt(found?.values, 'global', 'tag');
  if (found === undefined || tag === undefined || plainRelease(tag) === undefined) return undefined;
  return { value: tag, from: { kind: 'object', object: found.ref, field: 'data.values: global.tag' } };
}

/** What stands after the last `:` of an image's last part, before a digest. */
function imageTag(image: string): string | undefined {
  const name = image.split('@')[0]?.split('/').at(-1) ?? '';
  return name.includes(':') ? name.slice(name.lastIndexOf(':') + 1) : undefined;
}
