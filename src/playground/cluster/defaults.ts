import type { KubeObject } from '../../mesh/ports.ts';
import type { ObjectStore } from './store.ts';
import { serviceSpecOf } from './shapes.ts';

/** Service addresses of the playground; the guide's own example (its cluster.env). */
export const SERVICE_CIDR = '10.63.240.0/20';

const FIRST_FREE = 20;

/** What the API server fills in on entry: a Service's cluster IP, node ports and port defaults; one address once in Endpoints (RepackSubsets). */
export function withDefaults(object: KubeObject, before: KubeObject | undefined, store: ObjectStore): KubeObject {
  if (object.kind === 'Service') return serviceDefaults(object, before, store);
  if (object.kind === 'Endpoints') return endpointsDefaults(object);
  return object;
}

function serviceDefaults(object: KubeObject, before: KubeObject | undefined, store: ObjectStore): KubeObject {
  const spec = serviceSpecOf(object);
  const clusterIP = spec.clusterIP ?? (before ? serviceSpecOf(before).clusterIP : undefined) ?? freeClusterIp(store);
  const nodePorts = (before?.spec as { ports?: { port: number; nodePort?: number }[] } | undefined)?.ports ?? [];
  const ports = spec.ports.map((port, index) => ({
    ...port,
    targetPort: port.targetPort ?? port.port,
    ...(spec.type === 'ClusterIP'
      ? {}
      : { nodePort: nodePorts.find((old) => old.port === port.port)?.nodePort ?? freeNodePort(store, index) }),
  }));
  const given = object.spec as Record<string, unknown>;
  return {
    ...object,
    spec: { ...given, type: spec.type, clusterIP, clusterIPs: [clusterIP], ports, sessionAffinity: given.sessionAffinity ?? 'None' },
    status: before?.status ?? { loadBalancer: {} },
  };
}

function endpointsDefaults(object: KubeObject): KubeObject {
  const subsets = object.subsets;
  if (!Array.isArray(subsets)) return object;
  const once = (subsets as { addresses?: { ip: string }[] }[]).map((subset) => ({
    ...subset,
    addresses: (subset.addresses ?? []).filter((entry, index, all) => all.findIndex((other) => other.ip === entry.ip) === index),
  }));
  return { ...object, subsets: once };
}

function freeClusterIp(store: ObjectStore): string {
  const taken = new Set(store.list({ apiVersion: 'v1', kind: 'Service' }).map((service) => serviceSpecOf(service).clusterIP));
  for (let offset = FIRST_FREE; ; offset += 1) {
    const address = `10.63.${240 + Math.floor(offset / 250)}.${(offset % 250) + 1}`;
    if (!taken.has(address)) return address;
  }
}

function freeNodePort(store: ObjectStore, index: number): number {
  return 30_000 + store.list({ apiVersion: 'v1', kind: 'Service' }).length * 20 + index;
}
