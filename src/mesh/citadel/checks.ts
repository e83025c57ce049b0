import type { Check, VmScope } from '../era.ts';
import { unitCheck } from '../host/checkUnit.ts';
import { message } from '../messages.ts';
import type { CallOptions, KubeObject } from '../ports.ts';
import { certificateCheck, nodeAgentLogCheck } from './checkCertificate.ts';
import { dnsCheck } from './checkDns.ts';
import { podCheck, registrationCheck } from './checkPilot.ts';
import { processesCheck } from './checkProcesses.ts';
import { clusterIpOf, readBalancers } from './loadBalancers.ts';
import { refName } from '../problem.ts';
import { meshCurl } from './meshCurl.ts';
import { factsOf } from './factsOf.ts';
import type { BalancerRole } from './releases.ts';
import { listAt, numberAt, textAt } from '../cluster/untrusted.ts';

/** The guide's checks in its order (citadel facts 0, 7): names, Pilot, a pod directly, processes, units, certificate, the node agent's log, productpage. */
export async function checks(scope: VmScope, options: CallOptions = {}): Promise<readonly Check[]> {
  const facts = factsOf(scope);
  const { entry, api, vm } = scope;
  const { namespace } = entry.istio;
  const get = (kind: string, where: string, name: string): Promise<KubeObject | undefined> =>
    api.get({ apiVersion: 'v1', kind, namespace: where, name }, options);
  const [balancers, pilot, ingresses, productpage, pod] = await Promise.all([
    readBalancers(scope, options),
    get('Service', namespace, 'istio-pilot'),
    Promise.all(facts.ingress.map((name) => get('Service', namespace, name))),
    get('Service', 'bookinfo', 'productpage'),
    pilotPod(scope, options),
  ]);
  const balancer = (role: BalancerRole) => balancers.find((one) => one.role === role);
  const byBalancer = (name: string, role: BalancerRole): Check => {
    const found = balancer(role);
    return dnsCheck({
      name,
      expected: found?.state === 'ready' ? found.address : undefined,
      of: found === undefined ? role : refName(found.ref),
      cluster: false,
    });
  };
  const byClusterIp = (service: KubeObject): Check => {
    const name = `${service.metadata.name}.${service.metadata.namespace ?? ''}.svc.${entry.clusterDomain}.`;
    return dnsCheck({
      name,
      expected: clusterIpOf(service),
      of: `${service.metadata.namespace ?? ''}/${service.metadata.name}`,
      cluster: true,
    });
  };
  const [ingress] = ingresses.filter((one) => one !== undefined);
  return [
    byBalancer(`istio-pilot.${namespace}`, 'pilot'),
    byBalancer(`${facts.mixerName}.${namespace}`, 'mixer'),
    // The node agent asks for the bare word; the dot keeps the machine's search domains out of it.
    byBalancer(`${facts.caName}.`, 'citadel'),
    ...(pilot === undefined ? [] : [byClusterIp(pilot)]),
    ...(ingress === undefined ? [] : [byClusterIp(ingress)]),
    registrationCheck(scope, facts),
    podCheck(scope, facts, pod),
    processesCheck(),
    unitCheck(facts.units.sidecar),
    unitCheck(facts.units.nodeAgent),
    certificateCheck(scope),
    nodeAgentLogCheck(facts),
    productpageCheck(scope, productpage, vm.namespace),
  ];
}

/** The guide's last one: a page of a service in the cluster, which only the sidecar can bring, as an ordinary user (root's traffic is not captured: facts 4). */
function productpageCheck(scope: VmScope, service: KubeObject | undefined, namespace: string): Check {
  const port = numberAt(service, 'spec', 'ports', 0, 'port') ?? 9080;
  const url = `http://productpage.bookinfo.svc.${scope.entry.clusterDomain}:${port}/`;
  return meshCurl({
    id: 'productpage',
    url,
    ordinaryUser: scope.state?.facts?.loginUser === 'root',
    skipped: service === undefined ? message('citadel.check.productpage.skipped') : undefined,
    ok: () => message('citadel.check.productpage.ok', { url }),
    why: message('citadel.check.productpage.why', { namespace }),
    next: message('citadel.check.productpage.next'),
  });
}

/** A ready pod of Pilot: from the Endpoints, else from an EndpointSlice. */
async function pilotPod({ api, entry }: VmScope, options: CallOptions): Promise<string | undefined> {
  const { namespace } = entry.istio;
  const endpoints = await api.get({ apiVersion: 'v1', kind: 'Endpoints', namespace, name: 'istio-pilot' }, options);
  const address = textAt(endpoints, 'subsets', 0, 'addresses', 0, 'ip');
  if (address !== undefined) return address;
  const slices = await api.list(
    { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace, labelSelector: 'kubernetes.io/service-name=istio-pilot' },
    options,
  );
  return slices.flatMap((slice) => listAt(slice, 'endpoints').flatMap((endpoint) => textAt(endpoint, 'addresses', 0) ?? []))[0];
}
