import type { VmScope } from '../era.ts';
import type { GeneratedFile, ValueSource } from '../model.ts';
import type { LiveGroup } from './groupObject.ts';
import { byCodePoint, quoted } from './goText.ts';
import type { MeshData } from './meshData.ts';
import { isRevisioned, istiodAddress } from './naming.ts';
import { CLUSTER_ENV, ISTIOD_PORT, OWNER, UNIT } from './paths.ts';
import type { ProxyConfig } from './proxyConfig.ts';
import { explicitEntryName } from './entryName.ts';
import { isBefore } from './release.ts';

type Values = Readonly<Record<string, ValueSource>>;

/** cluster.env: the metadata of the proxy and what the start script and the capture rules read (istiod facts 1.6, 2.3, 2.5). */
export function clusterEnvFile(
  scope: VmScope,
  mesh: MeshData,
  live: LiveGroup,
  { proxy, hostname, readAt }: { readonly proxy: ProxyConfig; readonly hostname: ValueSource | undefined; readonly readAt: string },
): GeneratedFile {
  const metadata = Object.entries(proxy.metadata).map(([key, value]): [string, ValueSource] => [
    key,
    { value, from: proxy.metadataSources[key] ?? { kind: 'object', object: live.ref, field: 'spec' } },
  ]);
  const all: Values = { ...Object.fromEntries(metadata), ...ownValues(scope, mesh, live, { proxy, hostname }) };
  const lines = Object.entries(all)
    .map(([key, source]) => ({ text: `${key}=${quoted(source.value)}`, source: { ...source, readAt } }))
    .sort((one, other) => byCodePoint(one.text, other.text));
  return {
    path: CLUSTER_ENV,
    mode: 0o644,
    owner: OWNER,
    group: OWNER,
    content: {
      kind: 'text',
      text: lines.map(({ text }) => `${text}\n`).join(''),
      // A value of several lines has its source on each of them.
      sources: lines.flatMap(({ text, source }) => text.split('\n').map(() => [source])),
    },
    readBy: [UNIT],
    editable: true,
  };
}

function ownValues(
  scope: VmScope,
  mesh: MeshData,
  { group, ref }: LiveGroup,
  { proxy, hostname }: { readonly proxy: ProxyConfig; readonly hostname: ValueSource | undefined },
): Values {
  const { vm } = scope;
  const of = (value: string, field: string): ValueSource => ({ value, from: { kind: 'object', object: ref, field } });
  const { revision } = mesh;
  // istioctl's order is that of a Go map: none.
  const ports = Object.values(group.ports).sort((one, other) => one - other);
  return {
    ISTIO_INBOUND_PORTS: of(ports.length === 0 ? '*' : ports.join(','), 'spec.template.ports'),
    ISTIO_NAMESPACE: of(group.namespace, 'metadata.namespace'),
    ISTIO_SERVICE: of(`${group.name}.${group.namespace}`, 'metadata.name'),
    ISTIO_SERVICE_CIDR: { value: '*', from: { kind: 'rule', facts: 'istiod facts 1.6: every outgoing connection is captured' } },
    ISTIO_LOCAL_EXCLUDE_PORTS: {
      value: excludedPorts(proxy.fields.statusPort),
      from: { kind: 'rule', facts: 'istiod facts 1.6, 2.5: SSH and the ports of the sidecar itself stay outside capture' },
    },
    SERVICE_ACCOUNT: of(group.serviceAccount, 'spec.template.serviceAccount'),
    ...istiodValues(scope, revision, { proxy, hostname }),
    ...addressValues(scope),
    // An entry that istiod does not make itself has to be named, so that its health is written (istiod facts 3.3).
    ...(vm.autoRegister === false
      ? { ISTIO_META_WORKLOAD_ENTRY: { value: explicitEntryName(vm, group), from: { kind: 'inventory', field: 'autoRegister' } } as const }
      : {}),
  };
}

/** What the start script takes istiod to be where nothing says otherwise (istiod facts 2.3). */
const DEFAULT_ISTIOD = istiodAddress('istio-system', 'default');

/**
 * Where istiod is, unless it is where the start script looks or the mesh names a CA itself. The agent compares the CA's certificate with the host of CA_ADDR, and heeds ISTIOD_SAN there
 * only where CA_ADDR is unset; the start script always sets it (istiod facts 2.3, 2.4): so both carry the gateway's host name.
 */
function istiodValues(
  { entry, controlPlane }: VmScope,
  revision: ValueSource,
  { proxy, hostname }: { readonly proxy: ProxyConfig; readonly hostname: ValueSource | undefined },
): Values {
  const own = istiodAddress(entry.istio.namespace, revision.value);
  const address: ValueSource =
    hostname !== undefined
      ? { ...hostname, value: `${hostname.value}:${ISTIOD_PORT}` }
      : { value: own, from: isRevisioned(revision.value) ? revision.from : { kind: 'inventory', field: 'istio.namespace' } };
  const isGiven = hostname === undefined && !isRevisioned(revision.value) && proxy.metadata.CA_ADDR !== undefined;
  if (address.value === DEFAULT_ISTIOD || isGiven) return {};
  return {
    CA_ADDR: address,
    // The script of 1.8 - 1.11 overrules the discoveryAddress of mesh.yaml; a later one loses its other defaults by this variable.
    ...(isBefore(controlPlane.release, 12) ? { PILOT_ADDRESS: address } : {}),
    ...(hostname === undefined ? {} : { ISTIOD_SAN: hostname }),
  };
}

function addressValues({ vm, address }: VmScope): Values {
  if (vm.externalAddress !== undefined)
    return {
      ISTIO_SVC_IP: { value: vm.externalAddress, from: { kind: 'inventory', field: 'externalAddress' } },
      // The machine does not have that address: its own probes go to localhost.
      REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION: { value: 'true', from: { kind: 'inventory', field: 'externalAddress' } },
    };
  if (address === undefined) return {};
  return {
    ISTIO_SVC_IP: {
      value: address,
      from: vm.address === undefined ? { kind: 'host', field: 'address' } : { kind: 'inventory', field: 'address' },
    },
  };
}

function excludedPorts(statusPort: unknown): string {
  const always = ['22', '15090', '15021'];
  const status = typeof statusPort === 'number' && statusPort !== 0 ? String(statusPort) : '15020';
  return always.includes(status) ? always.join(',') : [...always, status].join(',');
}
