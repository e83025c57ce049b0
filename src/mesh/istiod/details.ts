import { stringsAt, textAt, at } from '../cluster/untrusted.ts';
import { message } from '../messages.ts';
import type { ClusterEntry, ControlPlane, ControlPlaneDetail, ValueSource } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject, ObjectRef } from '../ports.ts';
import { isMeshError } from '../errors.ts';
import { isAddress } from '../names.ts';
import { refName } from '../problem.ts';
import { certificateDetails } from './customHost.ts';
import { readExposure } from './exposeObjects.ts';
import { callsByHostname, GATEWAY_DETAIL, placeAsName, readGateway, type GatewayPlace } from './gatewayAddress.ts';
import { isAmbient, limitsOf } from './limits.ts';
import { readable, readMesh, readValues } from './meshData.ts';
import { networkingVersion } from './release.ts';
import type { RevisionTag } from './revisions.ts';

export interface FoundIstiod {
  readonly entry: ClusterEntry;
  readonly api: ClusterApi;
  readonly revision: ValueSource;
  readonly tags: readonly RevisionTag[];
  /** Revisions that run here. */
  readonly present: readonly string[];
  readonly istiod: KubeObject | undefined;
  readonly release: string;
}

/** Everything else that is shown of a control plane. What the account may not read is left out. */
export async function readDetails(found: FoundIstiod, options: CallOptions): Promise<Pick<ControlPlane, 'details' | 'limits'>> {
  const { entry, api, revision } = found;
  const scope = { entry, api };
  const apiVersion = networkingVersion(found.release);
  const reading = readable(readGateway(scope, options));
  const exposing = reading.then((found) =>
    readExposure({ ...scope, apiVersion, revision: revision.value, hostname: placeAsName(entry, found?.place)?.value }, options),
  );
  const [mesh, values, namespace, gateway, exposure, groups, ztunnel] = await Promise.all([
    readMeshOrNothing(scope, revision.value, options),
    readValues(scope, revision.value, options),
    readable(api.get({ apiVersion: 'v1', kind: 'Namespace', name: entry.istio.namespace }, options)),
    reading,
    readable(exposing),
    readable(api.list({ apiVersion, kind: 'WorkloadGroup' }, options)),
    readable(api.get({ apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: entry.istio.namespace, name: 'ztunnel' }, options)),
  ]);
  const hasZtunnel = ztunnel !== undefined;
  const namespaces =
    hasZtunnel && isAmbient(found.istiod) ? await readable(api.list({ apiVersion: 'v1', kind: 'Namespace' }, options)) : undefined;
  const network = networkOf(entry, namespace, values);
  const groupNetworks = (groups ?? []).flatMap((group) => textAt(group, 'spec', 'template', 'network') ?? []);
  // Groups without a network are on the mesh's own, also where that has no name.
  const own = network?.value ?? (groupNetworks.length > 0 ? '-' : undefined);
  const networks = [...new Set([...(own === undefined ? [] : [own]), ...groupNetworks, ...(mesh?.networks ?? [])])];
  return {
    details: [
      revisionDetail(found),
      ...found.tags.map((tag) => tagDetail(tag)),
      ...(mesh === undefined
        ? [{ ...detail('mesh', { value: '-', from: revision.from }), attention: true }]
        : meshDetails(mesh, values, entry)),
      ...(network === undefined ? [] : [detail('network', network)]),
      ...(gateway === undefined ? [] : [...gatewayDetails(gateway, entry), ...certificateDetails(entry, found.istiod, gateway.place)]),
      ...(exposure === undefined || found.istiod === undefined ? [] : [exposedDetail(exposure.virtualService)]),
    ],
    limits: limitsOf({ istiod: found.istiod, release: found.release, hasZtunnel, namespaces, networks }),
  };
}

type Mesh = Awaited<ReturnType<typeof readMesh>>;
type Values = Awaited<ReturnType<typeof readValues>>;

/** A mesh configuration that is missing or broken is a detail that wants attention, not the end of detection. */
async function readMeshOrNothing(
  scope: Pick<FoundIstiod, 'entry' | 'api'>,
  revision: string,
  options: CallOptions,
): Promise<Mesh | undefined> {
  try {
    return await readMesh(scope, revision, options);
  } catch (error) {
    if (['kube.forbidden', 'istiod.config-map', 'istiod.yaml'].some((code) => isMeshError(error, code))) return undefined;
    throw error;
  }
}

function revisionDetail({ revision, present }: FoundIstiod): ControlPlaneDetail {
  const isPresent = present.length === 0 || present.includes(revision.value);
  return { ...detail('revision', revision), ...(isPresent ? {} : { attention: true }) };
}

function tagDetail({ tag, revision, ref }: RevisionTag): ControlPlaneDetail {
  return detail('tag', { value: `${tag}: ${revision}`, from: { kind: 'object', object: ref, field: 'metadata.labels' } });
}

function meshDetails({ ref, mesh }: Mesh, values: Values, entry: ClusterEntry): readonly ControlPlaneDetail[] {
  const of = (value: string, object: ObjectRef, field: string): ValueSource => ({ value, from: { kind: 'object', object, field } });
  const meshId = textAt(mesh, 'defaultConfig', 'meshId');
  const name = at(values?.values, 'global', 'multiCluster', 'clusterName');
  const clusterId: ValueSource | undefined =
    entry.istio.clusterId !== undefined
      ? { value: entry.istio.clusterId, from: { kind: 'inventory', field: 'istio.clusterId' } }
      : values !== undefined && typeof name === 'string' && name !== ''
        ? of(name, values.ref, 'data.values: global.multiCluster.clusterName')
        : undefined;
  return [
    detail('trust-domain', of(textAt(mesh, 'trustDomain') ?? 'cluster.local', ref, 'data.mesh: trustDomain')),
    ...(clusterId === undefined ? [] : [detail('cluster-id', clusterId)]),
    ...(meshId === undefined ? [] : [detail('mesh-id', of(meshId, ref, 'data.mesh: defaultConfig.meshId'))]),
  ];
}

/** The network of the cluster: its namespace's label, else what istiod was installed with (istiod facts 3.1). */
function networkOf({ istio }: ClusterEntry, namespace: KubeObject | undefined, values: Values): ValueSource | undefined {
  const label = 'topology.istio.io/network';
  const labelled = stringsAt(namespace, 'metadata', 'labels')[label];
  if (labelled !== undefined && labelled !== '')
    return {
      value: labelled,
      from: { kind: 'object', object: { apiVersion: 'v1', kind: 'Namespace', name: istio.namespace }, field: `metadata.labels.${label}` },
    };
  const installed = textAt(values?.values, 'global', 'network');
  return installed === undefined || values === undefined
    ? undefined
    : { value: installed, from: { kind: 'object', object: values.ref, field: 'data.values: global.network' } };
}

function gatewayDetails({ ref, service, place }: GatewayPlace, entry: ClusterEntry): readonly ControlPlaneDetail[] {
  const named: ValueSource = { value: refName(ref), from: { kind: 'object', object: ref, field: 'metadata.name' } };
  if (service === undefined && place === undefined) return [{ ...detail('gateway', named), attention: true }];
  if (place === undefined)
    return [detail('gateway', named), { ...detail(GATEWAY_DETAIL, { value: '-', from: named.from }), attention: true }];
  const lacksName = callsByHostname(entry) && isAddress(place.value);
  return [detail('gateway', named), { ...detail(GATEWAY_DETAIL, place), ...(lacksName ? { attention: true } : {}) }];
}

function exposedDetail(virtualService: KubeObject | undefined): ControlPlaneDetail {
  if (virtualService === undefined) return { id: 'exposed', label: message('istiod.detail.exposed'), value: '-', attention: true };
  const { apiVersion, kind, metadata } = virtualService;
  const object: ObjectRef = { apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
  return detail('exposed', { value: refName(object), from: { kind: 'object', object, field: 'spec.tls' } });
}

function detail(id: string, source: ValueSource): ControlPlaneDetail {
  return { id, label: message(`istiod.detail.${id}`), value: source.value, source };
}
