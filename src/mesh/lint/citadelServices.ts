import type { LintRule } from './citadel.ts';
import { finding } from './finding.ts';

/** Rules over the inventory's services of a VM (citadel facts 4, 5, 9). */

/** What Istio reads a protocol from; a name that begins otherwise is plain TCP (facts 5). */
const protocols = ['tcp', 'udp', 'grpc', 'http', 'http2', 'https', 'tls', 'mongo', 'redis', 'mysql'];

const servicesOf: (
  input: Parameters<LintRule>[0],
) => readonly { readonly service: Parameters<LintRule>[0]['scope']['inventory']['services'][number]; readonly index: number }[] = ({
  scope,
}) =>
  scope.inventory.services
    .map((service, index) => ({ service, index }))
    .filter(({ service }) => service.cluster === scope.entry.name && service.vms.includes(scope.vm.name));

const portNames: LintRule = (input) =>
  servicesOf(input).flatMap(({ service, index }) =>
    service.ports.flatMap(({ name, port }, place) => {
      const path = `services[${index}].ports[${place}].name`;
      if (service.ports.findIndex((other) => other.name === name) < place)
        return [finding('citadel.port-name-twice', 'error', { path, value: name }, { service: service.name, name })];
      if (!protocols.includes(name.split('-')[0]?.toLowerCase() ?? ''))
        return [finding('citadel.port-name-protocol', 'info', { path, value: name }, { service: service.name, name, port })];
      return [];
    }),
  );

/** The sidecar looks for its own services in its own namespace (facts 4: ISTIO_NAMESPACE). */
const namespaces: LintRule = (input) =>
  servicesOf(input)
    .filter(({ service }) => service.namespace !== input.scope.vm.namespace)
    .map(({ service, index }) =>
      finding(
        'citadel.service-namespace',
        'warning',
        { path: `services[${index}].namespace`, value: service.namespace },
        { service: service.name, namespace: service.namespace, vm: input.scope.vm.name, wanted: input.scope.vm.namespace },
      ),
    );

/** A port of a service that the sidecar does not capture is answered past it. */
const uncaptured: LintRule = (input) => {
  const ports = input.scope.vm.inboundPorts;
  if (ports === '*' || ports === undefined) return [];
  return servicesOf(input).flatMap(({ service, index }) =>
    service.ports.flatMap(({ targetPort }, place) =>
      ports.includes(targetPort)
        ? []
        : [
            finding(
              'citadel.port-not-captured',
              'info',
              { path: `services[${index}].ports[${place}].targetPort`, value: String(targetPort) },
              { service: service.name, port: targetPort, vm: input.scope.vm.name },
            ),
          ],
    ),
  );
};

const accounts: LintRule = (input) =>
  servicesOf(input)
    .filter(({ service }) => service.serviceAccount !== input.scope.vm.serviceAccount)
    .map(({ service, index }) =>
      finding(
        'citadel.service-account',
        'warning',
        { path: `services[${index}].serviceAccount`, value: service.serviceAccount },
        { service: service.name, account: service.serviceAccount, vm: input.scope.vm.name, wanted: input.scope.vm.serviceAccount },
      ),
    );

export const serviceRules: readonly LintRule[] = [portNames, namespaces, uncaptured, accounts];
