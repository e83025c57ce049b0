import type { VmScope } from '../../../../src/mesh/era.ts';
import { isMeshError, type MeshError } from '../../../../src/mesh/errors.ts';
import type { MeshPorts } from '../../../../src/mesh/mesh.ts';
import type { ClusterEntry, ControlPlane, VmEntry } from '../../../../src/mesh/model.ts';
import type { HostState, KubeObject, RemoteFile } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';

export const NOW = new Date('2026-11-23T12:00:00.000Z');

export const PLANE: ControlPlane = {
  era: 'istiod',
  release: '1.31.0',
  source: { value: '1.31.0', from: { kind: 'inventory', field: 'istio.release' } },
};

export function clusterEntry(more: Partial<ClusterEntry> = {}): ClusterEntry {
  return { name: 'prod', context: 'prod', istio: { namespace: 'istio-system' }, clusterDomain: 'cluster.local', ...more };
}

export const object = (kind: string, name: string, namespace: string | undefined, more: object): KubeObject => ({
  apiVersion: kind.startsWith('Workload') ? 'networking.istio.io/v1' : 'v1',
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...more,
});

export const gateway = (ingress: readonly object[]): KubeObject =>
  object('Service', 'istio-eastwestgateway', 'istio-system', { spec: {}, status: { loadBalancer: { ingress } } });

/** A mesh with one group `vm/mysql`, as small as the facts allow. */
export function world(...more: readonly KubeObject[]): MemoryCluster {
  return new MemoryCluster(
    object('ConfigMap', 'istio', 'istio-system', {
      data: { mesh: 'trustDomain: cluster.local\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n' },
    }),
    object('ConfigMap', 'istio-sidecar-injector', 'istio-system', {
      data: { values: '{"global":{"multiCluster":{"clusterName":"Kubernetes"}}}' },
    }),
    object('ConfigMap', 'istio-ca-root-cert', 'vm', {
      data: { 'root-cert.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    }),
    object('WorkloadGroup', 'mysql', 'vm', {
      spec: { metadata: { labels: { app: 'mysql' } }, template: { serviceAccount: 'mysql', ports: { mysql: 3306 } } },
    }),
    gateway([{ ip: '192.0.2.7' }]),
    ...more,
  );
}

export interface ScopeParts {
  readonly entry?: ClusterEntry;
  readonly vm?: Partial<VmEntry>;
  readonly files?: readonly RemoteFile[];
  readonly resolved?: HostState['resolved'];
  readonly controlPlane?: ControlPlane;
}

/** Offline unless files or resolved names of the VM are given. */
export function vmScope(
  api: MemoryCluster,
  { entry = clusterEntry(), vm = {}, files, resolved, controlPlane = PLANE }: ScopeParts = {},
): VmScope {
  const online = files !== undefined || resolved !== undefined;
  const one: VmEntry = {
    name: 'db-1',
    host: 'db-1',
    cluster: 'prod',
    namespace: 'vm',
    serviceAccount: 'default',
    workloadGroup: 'mysql',
    address: '10.0.0.5',
    ...vm,
  };
  return {
    entry,
    api,
    controlPlane,
    inventory: { version: 1, clusters: [entry], vms: [one], services: [] },
    ports: { clock: { now: () => NOW } } as unknown as MeshPorts,
    vm: one,
    address: one.address,
    ...(online ? { state: { files: files ?? [], units: [], packages: [], programs: {}, resolved } } : {}),
  };
}

export function coded(code: string, field?: string): (error: unknown) => boolean {
  return (error: unknown): error is MeshError => isMeshError(error, code) && (field === undefined || error.field === field);
}
