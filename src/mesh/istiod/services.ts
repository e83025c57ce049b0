import { listAt, numberAt, stringsAt, textAt } from '../cluster/untrusted.ts';
import type { ClusterScope } from '../era.ts';
import type { RegisteredService, ServicePortEntry } from '../model.ts';
import type { CallOptions, KubeObject } from '../ports.ts';
import { refName } from '../problem.ts';
import { liveGroup } from './groupObject.ts';
import { listed } from './groups.ts';
import { entryLabels, selects, type Labels } from './selectors.ts';
import { vmOf } from './workloadEntry.ts';

/** Services that VMs answer: whose selector takes entries or groups of its namespace (istiod facts 3.5), and those of the inventory. */
export async function readServices(scope: ClusterScope, options: CallOptions = {}): Promise<readonly RegisteredService[]> {
  const [services, external, groupObjects, entries] = await Promise.all([
    listed(scope, 'Service', options),
    listed(scope, 'ServiceEntry', options),
    listed(scope, 'WorkloadGroup', options),
    listed(scope, 'WorkloadEntry', options),
  ]);
  const groups = groupObjects.map(liveGroup);
  const listedNames = new Set(
    scope.inventory.services.filter(({ cluster }) => cluster === scope.entry.name).map(({ namespace, name }) => `${namespace}/${name}`),
  );
  return [...services, ...external]
    .flatMap((service) => {
      const { namespace = '', name } = service.metadata;
      const selector = selectorOf(service);
      const selected = entries.filter((entry) => entry.metadata.namespace === namespace && selects(selector, entryLabels(entry)));
      const isOfGroup = groups.some(({ group }) => group.namespace === namespace && selects(selector, group.labels));
      if (selected.length === 0 && !isOfGroup && !listedNames.has(`${namespace}/${name}`)) return [];
      const vmOfEntry = (entry: KubeObject): string | undefined =>
        groups.map((live) => vmOf(entry, live, scope.inventory, scope.entry.name)).find((vm) => vm !== undefined);
      return [described(service, selected, vmOfEntry)];
    })
    .sort((one, other) => refName(one.ref).localeCompare(refName(other.ref)));
}

function selectorOf(service: KubeObject): Labels {
  return service.kind === 'Service' ? stringsAt(service, 'spec', 'selector') : stringsAt(service, 'spec', 'workloadSelector', 'labels');
}

function described(
  service: KubeObject,
  entries: readonly KubeObject[],
  vmOfEntry: (entry: KubeObject) => string | undefined,
): RegisteredService {
  const { apiVersion, kind, metadata } = service;
  const ports = listAt(service, 'spec', 'ports').map((port): ServicePortEntry => {
    const number = numberAt(port, 'port') ?? numberAt(port, 'number') ?? 0;
    const protocol = textAt(port, 'protocol') === 'UDP' ? 'UDP' : 'TCP';
    return { name: textAt(port, 'name') ?? '', port: number, targetPort: numberAt(port, 'targetPort') ?? number, protocol };
  });
  const clusterIp = textAt(service, 'spec', 'clusterIP');
  return {
    ref: { apiVersion, kind, namespace: metadata.namespace, name: metadata.name },
    clusterIp: clusterIp === 'None' ? undefined : clusterIp,
    ports,
    endpoints: entries.flatMap((entry) => {
      const address = textAt(entry, 'spec', 'address');
      return address === undefined ? [] : [{ address, ports: ports.map(({ targetPort }) => targetPort), vm: vmOfEntry(entry) }];
    }),
  };
}
