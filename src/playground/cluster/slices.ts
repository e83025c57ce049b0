import type { KubeObject } from '../../mesh/ports.ts';
import { subsetsOf } from './shapes.ts';
import type { ObjectStore } from './store.ts';

/** Keeps an EndpointSlice beside each Endpoints, as clusters of today do. The answer ends it. */
export function mirrorSlices(store: ObjectStore): () => void {
  return store.subscribe(({ type, object }) => {
    if (object.kind !== 'Endpoints') return;
    const slice = sliceOf(object);
    if (type === 'DELETED') store.remove({ apiVersion: slice.apiVersion, kind: slice.kind, ...slice.metadata });
    else store.put(slice);
  });
}

function sliceOf(endpoints: KubeObject): KubeObject {
  const { name, namespace } = endpoints.metadata;
  const subsets = subsetsOf(endpoints);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-x7k2p`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: subsets.flatMap(({ addresses }) => addresses.map(({ ip }) => ({ addresses: [ip], conditions: { ready: true } }))),
    ports: subsets[0]?.ports ?? [],
  };
}
