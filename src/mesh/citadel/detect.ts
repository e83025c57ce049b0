import type { ClusterEntry, ControlPlane, ControlPlaneAuth, ValueSource } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import { parse } from 'yaml';
import { problem, refName } from '../problem.ts';
import { eraOf, parseRelease } from './releases.ts';
import { listAt, stringsAt, textAt } from '../cluster/untrusted.ts';

/** Kinds that hold Pilot, the one that says most first. */
const holders = [
  { apiVersion: 'apps/v1', kind: 'Deployment', path: ['spec', 'template', 'spec', 'containers'] },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', path: ['spec', 'template', 'spec', 'containers'] },
  { apiVersion: 'v1', kind: 'Pod', path: ['spec', 'containers'] },
] as const;

/** Labels and annotations that charts and installers put the release into. */
const labelKeys = ['app.kubernetes.io/version', 'istio.io/version', 'version', 'chart', 'helm.sh/chart'] as const;

/**
 * Finds Pilot in the control plane's namespace and its release: from the image's tag, else from a label or annotation; it may be after this era (1.5 could
 * still be installed so). Undefined where there is no `istio-pilot`. Throws `cluster.release-unknown` where nothing names a release, `cluster.release-unsupported` before 0.2.7.
 */
export async function detect(entry: ClusterEntry, api: ClusterApi, options: CallOptions = {}): Promise<ControlPlane | undefined> {
  const { namespace } = entry.istio;
  let unclear: { readonly ref: ObjectRef; readonly image: string } | undefined;
  for (const holder of holders) {
    for (const object of await pilots(api, holder, namespace, options)) {
      const ref: ObjectRef = { apiVersion: holder.apiVersion, kind: holder.kind, namespace, name: object.metadata.name };
      const container = pilotContainer(listAt(object, ...holder.path));
      const found = releaseOf(object, container, ref, holder.path.join('.'));
      if (found !== undefined) return controlPlane(found, refName(ref));
      unclear ??= { ref, image: container?.image ?? '' };
    }
  }
  if (unclear === undefined) return undefined;
  throw problem(
    'cluster.release-unknown',
    { name: refName(unclear.ref), image: unclear.image },
    { kind: 'bad-input', field: 'istio.release' },
  );
}

/** The control plane for a pinned release; undefined where the release is another era's. */
export function pinned(release: string): ControlPlane | undefined {
  return eraOf(release) === 'citadel'
    ? { era: 'citadel', release: plain(release), source: { value: release, from: { kind: 'inventory', field: 'istio.release' } } }
    : undefined;
}

function controlPlane(source: ValueSource, name: string): ControlPlane {
  if (eraOf(source.value) === 'before')
    throw problem('cluster.release-unsupported', { release: source.value, name }, { kind: 'bad-input', field: 'istio.release' });
  return { era: 'citadel', release: plain(source.value), source };
}

async function pilots(
  api: ClusterApi,
  { apiVersion, kind }: (typeof holders)[number],
  namespace: string,
  options: CallOptions,
): Promise<readonly KubeObject[]> {
  if (kind === 'Deployment') {
    const named = await api.get({ apiVersion, kind, namespace, name: 'istio-pilot' }, options);
    if (named !== undefined) return [named];
  }
  const labelled = await api.list({ apiVersion, kind, namespace, labelSelector: 'istio=pilot' }, options);
  // istiod carries the same label.
  return labelled.filter(({ metadata }) => metadata.name.startsWith('istio-pilot'));
}

interface PilotContainer {
  readonly image: string;
  readonly index: number;
}

function pilotContainer(containers: readonly unknown[]): PilotContainer | undefined {
  const all = containers.map((container, index) => ({ name: textAt(container, 'name'), image: textAt(container, 'image') ?? '', index }));
  return all.find(({ name }) => name === 'discovery') ?? all.find(({ image }) => /\/pilot[:@]/.test(image)) ?? all[0];
}

function releaseOf(object: KubeObject, container: PilotContainer | undefined, ref: ObjectRef, containers: string): ValueSource | undefined {
  const tag = imageTag(container?.image ?? '');
  if (tag !== undefined && parseRelease(tag) !== undefined) {
    return { value: tag, from: { kind: 'object', object: ref, field: `${containers}[${container?.index ?? 0}].image` } };
  }
  for (const where of ['labels', 'annotations'] as const) {
    const values = stringsAt(object, 'metadata', where);
    for (const key of labelKeys) {
      // A chart's label is NAME-VERSION.
      const value = (values[key] ?? '').replace(/^[a-z][a-z-]*-(?=\d)/, '');
      if (parseRelease(value) !== undefined) return { value, from: { kind: 'object', object: ref, field: `metadata.${where}.${key}` } };
    }
  }
  return undefined;
}

/** Tag of an image reference: what stands after the last `:` of its last part, before a digest. */
export function imageTag(image: string): string | undefined {
  const name = image.split('@')[0]?.split('/').at(-1) ?? '';
  const colon = name.lastIndexOf(':');
  return colon < 0 ? undefined : name.slice(colon + 1);
}

/** `1.0.3` of `v1.0.3-distroless`. */
function plain(release: string): string {
  return parseRelease(release)?.join('.') ?? release;
}

/**
 * How sidecars authenticate to the control plane: the inventory's word, else the mesh ConfigMap's `defaultConfig.controlPlaneAuthPolicy`, else MUTUAL_TLS
 * (the script's default: citadel facts 1, environment variables).
 */
export async function controlPlaneAuth(
  entry: ClusterEntry,
  api: ClusterApi,
  options: CallOptions = {},
): Promise<{ readonly auth: ControlPlaneAuth; readonly from: ValueSource['from'] }> {
  if (entry.istio.controlPlaneAuth !== undefined)
    return { auth: entry.istio.controlPlaneAuth, from: { kind: 'inventory', field: 'istio.controlPlaneAuth' } };
  const object: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: entry.istio.namespace, name: 'istio' };
  const mesh = textAt(await api.get(object, options), 'data', 'mesh');
  const policy = mesh === undefined ? undefined : policyOf(mesh);
  if (policy === undefined)
    return { auth: 'MUTUAL_TLS', from: { kind: 'rule', facts: 'citadel facts 1: CONTROL_PLANE_AUTH_POLICY defaults to MUTUAL_TLS' } };
  return { auth: policy, from: { kind: 'object', object, field: 'data.mesh: defaultConfig.controlPlaneAuthPolicy' } };
}

function policyOf(mesh: string): ControlPlaneAuth | undefined {
  try {
    const policy = textAt(parse(mesh, { maxAliasCount: 20 }), 'defaultConfig', 'controlPlaneAuthPolicy');
    return policy === 'MUTUAL_TLS' || policy === 'NONE' ? policy : undefined;
  } catch {
    return undefined;
  }
}
