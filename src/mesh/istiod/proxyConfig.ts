import type { ValueSource } from '../model.ts';
import { refName } from '../problem.ts';
import type { LiveGroup } from './groupObject.ts';
import { byCodePoint, goJson } from './goText.ts';
import type { MeshData } from './meshData.ts';
import { isRevisioned, istiodAddress } from './naming.ts';
import { ISTIOD_PORT } from './paths.ts';
import { applied, normalized, parseYaml, setFields, withoutZeros, type JsonObject } from './protoJson.ts';
import { probeShape, proxyConfigShape } from './protoShapes.ts';

export interface VmChoices {
  /** Where the control plane is, for names. */
  readonly namespace: string;
  /** The gateway's host name, where VMs call istiod by it. */
  readonly hostname: ValueSource | undefined;
  readonly autoRegister: boolean;
  readonly captureDns: boolean;
}

type Source = ValueSource['from'];

/** The proxy configuration of a VM, and where each of its fields and each of its metadata came from. */
export interface ProxyConfig {
  readonly fields: JsonObject;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fieldSources: Readonly<Record<string, Source>>;
  readonly metadataSources: Readonly<Record<string, Source>>;
}

/** Annotation that changes the proxy configuration. */
export const PROXY_CONFIG_ANNOTATION = 'proxy.istio.io/config';

/**
 * The mesh's `defaultConfig` with the group's annotations applied and what istiod wants to know of the VM (istiod facts 1.5). Throws `istiod.yaml`,
 * `istiod.field`.
 */
export function proxyConfig(mesh: MeshData, live: LiveGroup, vm: VmChoices): ProxyConfig {
  const { fields, metadata, fieldSources, metadataSources } = written(mesh, live);
  const { ref } = live;
  const own = ownMetadata(mesh, live, vm, textField(fields, 'meshId'));
  const discovery = discoveryAddress(mesh, fields, vm);
  const probe =
    live.probe === undefined || live.probe === null
      ? {}
      : { readinessProbe: normalized(live.probe, probeShape, { object: refName(ref), path: 'spec.probe' }) };
  // The group's probe stands for the mesh's, and the metadata has been merged.
  const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'readinessProbe' && name !== 'proxyMetadata'));
  const all = { ...metadata, ...Object.fromEntries(Object.entries(own).map(([key, { value }]) => [key, value])) };
  return {
    fields: { ...kept, ...(discovery === undefined ? {} : { discoveryAddress: discovery.value }), ...probe, proxyMetadata: all },
    metadata: all,
    fieldSources: {
      ...fieldSources,
      ...(discovery === undefined ? {} : { discoveryAddress: discovery.from }),
      readinessProbe: { kind: 'object', object: ref, field: 'spec.probe' },
      proxyMetadata: { kind: 'object', object: ref, field: 'spec' },
    },
    metadataSources: { ...metadataSources, ...Object.fromEntries(Object.entries(own).map(([key, { from }]) => [key, from])) },
  };
}

/** What the mesh and the annotations say; metadata is merged, every other field is overwritten. */
function written(mesh: MeshData, { ref, objectAnnotations, group }: LiveGroup): ProxyConfig {
  const layers = [
    { value: mesh.defaultConfig, object: mesh.ref, field: 'data.mesh: defaultConfig' },
    ...[
      { annotations: objectAnnotations, at: 'metadata' },
      { annotations: group.annotations, at: 'spec.metadata' },
    ].flatMap(({ annotations, at }) => {
      const text = annotations[PROXY_CONFIG_ANNOTATION];
      const field = `${at}.annotations[${PROXY_CONFIG_ANNOTATION}]`;
      return text === undefined ? [] : [{ value: parseYaml(text, { object: refName(ref), path: field }), object: ref, field }];
    }),
  ];
  let fields: JsonObject = {};
  let metadata: Record<string, string> = {};
  const fieldSources: Record<string, Source> = {};
  const metadataSources: Record<string, Source> = {};
  for (const { value, object, field } of layers) {
    const layer = setFields(value, proxyConfigShape, { object: refName(object), path: field });
    fields = applied(fields, layer, proxyConfigShape);
    for (const name of Object.keys(layer)) fieldSources[name] = { kind: 'object', object, field: `${field}.${name}` };
    const added = (layer.proxyMetadata ?? {}) as Readonly<Record<string, string>>;
    metadata = { ...metadata, ...added };
    for (const key of Object.keys(added)) metadataSources[key] = { kind: 'object', object, field: `${field}.proxyMetadata.${key}` };
  }
  return { fields: withoutZeros(fields, proxyConfigShape), metadata, fieldSources, metadataSources };
}

/** Where the agent finds istiod, where it is not what the mesh or the group says. */
function discoveryAddress({ revision }: MeshData, fields: JsonObject, { hostname, namespace }: VmChoices): ValueSource | undefined {
  if (hostname !== undefined) return { ...hostname, value: `${hostname.value}:${ISTIOD_PORT}` };
  if (!isRevisioned(revision.value) || fields.discoveryAddress !== undefined) return undefined;
  return { ...revision, value: istiodAddress(namespace, revision.value) };
}

/** What istiod wants to know of the VM. */
function ownMetadata(mesh: MeshData, { group, ref }: LiveGroup, vm: VmChoices, meshId: string): Readonly<Record<string, ValueSource>> {
  const of = (value: string, field: string): ValueSource => ({ value, from: { kind: 'object', object: ref, field } });
  const chosen = (value: string, field: string): ValueSource => ({ value, from: { kind: 'inventory', field } });
  const service = canonical(group.labels, ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app']) ?? {
    key: undefined,
    value: group.name,
  };
  const revision = canonical(group.labels, ['service.istio.io/canonical-revision', 'app.kubernetes.io/version', 'version']) ?? {
    key: undefined,
    value: 'latest',
  };
  const labels = {
    ...group.labels,
    'service.istio.io/canonical-name': service.value,
    'service.istio.io/canonical-revision': revision.value,
  };
  const labelField = (key: string | undefined): string => (key === undefined ? 'metadata.name' : `spec.metadata.labels.${key}`);
  return {
    CANONICAL_SERVICE: of(service.value, labelField(service.key)),
    CANONICAL_REVISION:
      revision.key === undefined
        ? { value: revision.value, from: { kind: 'rule', facts: 'istiod facts 1.5: latest where no label names a version' } }
        : of(revision.value, labelField(revision.key)),
    POD_NAMESPACE: of(group.namespace, 'metadata.namespace'),
    SERVICE_ACCOUNT: of(group.serviceAccount, 'spec.template.serviceAccount'),
    TRUST_DOMAIN: mesh.trustDomain,
    ISTIO_META_CLUSTER_ID: mesh.clusterId,
    ISTIO_META_MESH_ID: { value: meshId, from: { kind: 'object', object: mesh.ref, field: 'data.mesh: defaultConfig.meshId' } },
    ISTIO_META_NETWORK: of(group.network ?? '', 'spec.template.network'),
    ...(Object.keys(group.ports).length === 0 ? {} : { ISTIO_META_POD_PORTS: of(podPorts(group.ports), 'spec.template.ports') }),
    ISTIO_META_WORKLOAD_NAME: of(group.name, 'metadata.name'),
    ISTIO_METAJSON_LABELS: of(goJson(labels), 'spec.metadata.labels'),
    // Off leaves what the mesh says.
    ...(vm.captureDns ? { ISTIO_META_DNS_CAPTURE: chosen('true', 'captureDns') } : {}),
    ...(vm.autoRegister ? { ISTIO_META_AUTO_REGISTER_GROUP: of(group.name, 'metadata.name') } : {}),
  };
}

function canonical(
  labels: Readonly<Record<string, string>>,
  keys: readonly string[],
): { readonly key: string; readonly value: string } | undefined {
  const key = keys.find((one) => Object.hasOwn(labels, one));
  return key === undefined ? undefined : { key, value: labels[key] ?? '' };
}

function podPorts(ports: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(ports).sort(([one], [other]) => byCodePoint(one, other));
  return goJson(sorted.map(([name, containerPort]) => ({ ...(name === '' ? {} : { name }), containerPort, protocol: '' })));
}

function textField(fields: JsonObject, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}
