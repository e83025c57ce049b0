import { at, textAt } from '../cluster/untrusted.ts';
import type { ClusterScope } from '../era.ts';
import { isMeshError } from '../errors.ts';
import type { ValueSource } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { revisioned } from './naming.ts';
import { parseYaml, type JsonObject } from './protoJson.ts';
import { readRevision } from './revisions.ts';

/** What a VM's files need to know of the control plane (istiod facts 1.4, 1.5). */
export interface MeshData {
  readonly revision: ValueSource;
  /** The ConfigMap that holds the mesh configuration. */
  readonly ref: ObjectRef;
  /** Its `defaultConfig`, as it is written. */
  readonly defaultConfig: unknown;
  /** '' where the mesh does not name one: no defaults are filled in. */
  readonly trustDomain: ValueSource;
  readonly clusterId: ValueSource;
}

type Scope = Pick<ClusterScope, 'entry' | 'api'>;

/** Throws `istiod.config-map` where one is missing, `istiod.yaml`, `istiod.cluster-id`. */
export async function readMeshData(scope: Scope, options: CallOptions = {}): Promise<MeshData> {
  const revision = await readRevision(scope.entry, scope.api, options);
  const [{ ref, mesh }, clusterId] = await Promise.all([
    readMesh(scope, revision.value, options),
    readClusterId(scope, revision.value, options),
  ]);
  return {
    revision,
    ref,
    defaultConfig: mesh.defaultConfig,
    trustDomain: { value: textAt(mesh, 'trustDomain') ?? '', from: { kind: 'object', object: ref, field: 'data.mesh: trustDomain' } },
    clusterId,
  };
}

/** The mesh configuration of a revision, and the networks that it names. */
export async function readMesh(
  { entry, api }: Scope,
  revision: string,
  options: CallOptions = {},
): Promise<{ readonly ref: ObjectRef; readonly mesh: JsonObject; readonly networks: readonly string[] }> {
  const ref = configMap(entry.istio.namespace, revisioned('istio', revision));
  const object = await existing(api, ref, options);
  const mesh = parseYaml(textAt(object, 'data', 'mesh') ?? '', { object: refName(ref), path: 'data.mesh' });
  return { ref, mesh: typeof mesh === 'object' && mesh !== null ? (mesh as JsonObject) : {}, networks: networksOf(object) };
}

/** Names of `meshNetworks`; none where it cannot be read: istiod goes on without it too, and no file of a VM is made from it. */
function networksOf(object: KubeObject): readonly string[] {
  const place = { object: object.metadata.name, path: 'data.meshNetworks' };
  try {
    const named = at(parseYaml(textAt(object, 'data', 'meshNetworks') ?? '', place), 'networks');
    return typeof named === 'object' && named !== null ? Object.keys(named) : [];
  } catch {
    return [];
  }
}

/** Values that istiod was installed with, from its injector; undefined where they cannot be read. */
export async function readValues(
  { entry, api }: Scope,
  revision: string,
  options: CallOptions = {},
): Promise<{ readonly ref: ObjectRef; readonly values: unknown } | undefined> {
  const ref = configMap(entry.istio.namespace, revisioned('istio-sidecar-injector', revision));
  const text = textAt(await readable(api.get(ref, options)), 'data', 'values');
  if (text === undefined) return undefined;
  try {
    return { ref, values: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

async function readClusterId(scope: Scope, revision: string, options: CallOptions): Promise<ValueSource> {
  const { clusterId } = scope.entry.istio;
  if (clusterId !== undefined) return { value: clusterId, from: { kind: 'inventory', field: 'istio.clusterId' } };
  const found = await readValues(scope, revision, options);
  const name = at(found?.values, 'global', 'multiCluster', 'clusterName');
  if (found === undefined || (name !== undefined && typeof name !== 'string'))
    throw problem(
      'istiod.cluster-id',
      { name: refName(configMap(scope.entry.istio.namespace, revisioned('istio-sidecar-injector', revision))), cluster: scope.entry.name },
      { field: 'istio.clusterId' },
    );
  return { value: name ?? '', from: { kind: 'object', object: found.ref, field: 'data.values: global.multiCluster.clusterName' } };
}

/** The object; throws `istiod.config-map` where it is not there. */
export async function existing(api: ClusterApi, ref: ObjectRef, options?: CallOptions): Promise<KubeObject> {
  const found = await api.get(ref, options);
  if (found === undefined) throw problem('istiod.config-map', { name: refName(ref) });
  return found;
}

export function configMap(namespace: string, name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
}

/** What may be read; undefined where the account may not. */
export async function readable<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (isMeshError(error, 'kube.forbidden')) return undefined;
    throw error;
  });
}
