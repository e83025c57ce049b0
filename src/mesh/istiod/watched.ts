import type { ClusterScope } from '../era.ts';
import type { Watched } from '../mesh.ts';
import type { CallOptions, ObjectRef } from '../ports.ts';
import { gatewayRef } from './gatewayAddress.ts';
import { configMap } from './meshData.ts';
import { revisioned } from './naming.ts';
import { networkingVersion } from './release.ts';
import { readRevision } from './revisions.ts';

/** Kinds that the tree shows, and the very objects that files of VMs are made from: mesh configuration, gateway, roots (istiod facts 1.4, 1.7). */
export async function watched({ entry, api, inventory, controlPlane }: ClusterScope, options?: CallOptions): Promise<readonly Watched[]> {
  const apiVersion = networkingVersion(controlPlane.release);
  const revision = await readRevision(entry, api, options);
  const namespaces = new Set(inventory.vms.filter(({ cluster }) => cluster === entry.name).map(({ namespace }) => namespace));
  return [
    ...['WorkloadGroup', 'WorkloadEntry', 'ServiceEntry'].map((kind) => ({ apiVersion, kind })),
    { apiVersion: 'v1', kind: 'Service' },
    input(configMap(entry.istio.namespace, revisioned('istio', revision.value)), 'all'),
    ...(entry.ingress?.address === undefined ? [input(gatewayRef(entry), 'all')] : []),
    ...[...namespaces].sort().map((namespace) => input(configMap(namespace, 'istio-ca-root-cert'), { namespace })),
  ];
}

/** One object alone: an account that may watch that very object needs no more. */
function input({ apiVersion, kind, namespace, name }: ObjectRef, inputOf: Watched['inputOf']): Watched {
  return { apiVersion, kind, namespace, fieldSelector: `metadata.name=${name}`, inputOf };
}
