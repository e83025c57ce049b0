import type { ClusterScope } from '../era.ts';
import type { RegisteredService } from '../model.ts';
import type { CallOptions, KubeObject } from '../ports.ts';
import { subsetsOf } from './endpoints.ts';
import { clusterIpOf } from './loadBalancers.ts';
import { refName } from '../problem.ts';
import { ACCOUNTS_ANNOTATION } from './registration.ts';
import { at, listAt, numberAt, stringsAt, textAt } from '../cluster/untrusted.ts';

/** Registered services of the cluster: those that registration marked, and those of the inventory. One list call per kind. */
export async function readServices(scope: ClusterScope, options: CallOptions = {}): Promise<readonly RegisteredService[]> {
  const [services, endpoints] = await Promise.all([
    scope.api.list({ apiVersion: 'v1', kind: 'Service' }, options),
    scope.api.list({ apiVersion: 'v1', kind: 'Endpoints' }, options),
  ]);
  const key = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  const byName = new Map(endpoints.map((object) => [key(object), object]));
  const listed = new Set(
    scope.inventory.services.filter(({ cluster }) => cluster === scope.entry.name).map(({ namespace, name }) => `${namespace}/${name}`),
  );
  return services
    .filter((service) => isRegisteredService(service, listed.has(key(service))))
    .map((service) => describeService(scope, service, byName.get(key(service))))
    .sort((one, other) => refName(one.ref).localeCompare(refName(other.ref)));
}

function isRegisteredService(service: KubeObject, listed: boolean): boolean {
  if (Object.keys(stringsAt(service, 'spec', 'selector')).length > 0 || at(service, 'spec', 'type') === 'ExternalName') return false;
  return listed || service.metadata.annotations?.[ACCOUNTS_ANNOTATION] !== undefined;
}

function describeService(scope: ClusterScope, service: KubeObject, endpoints: KubeObject | undefined): RegisteredService {
  const vms = new Map(
    scope.inventory.vms
      .filter(({ cluster }) => cluster === scope.entry.name)
      .flatMap(({ name, address }) => (address === undefined ? [] : [[address, name] as const])),
  );
  return {
    ref: { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, name: service.metadata.name },
    clusterIp: clusterIpOf(service),
    ports: listAt(service, 'spec', 'ports').map((port) => {
      const number = numberAt(port, 'port') ?? 0;
      return {
        name: textAt(port, 'name') ?? '',
        port: number,
        targetPort: numberAt(port, 'targetPort') ?? number,
        protocol: textAt(port, 'protocol') === 'UDP' ? 'UDP' : 'TCP',
      };
    }),
    endpoints: subsetsOf(endpoints).flatMap((subset) =>
      subset.addresses.map((address) => ({ address, ports: subset.ports.map(({ port }) => port), vm: vms.get(address) })),
    ),
  };
}
