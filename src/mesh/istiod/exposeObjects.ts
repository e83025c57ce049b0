import { listAt, numberAt, stringsAt, textAt } from '../cluster/untrusted.ts';
import type { ClusterEntry } from '../model.ts';
import type { CallOptions, ClusterApi, KubeObject } from '../ports.ts';
import { isRevisioned, revisioned } from './naming.ts';
import { ISTIOD_PORT } from './paths.ts';

/** What lets VMs reach istiod through the gateway (istiod facts 3.1): a Gateway that passes TLS on, and a VirtualService per revision that leads to istiod. */

const GATEWAY = 'istiod-gateway';
const WEBHOOK_PORT = 15017;
/** Labels of the east-west gateway's pods. */
export const GATEWAY_SELECTOR = { istio: 'eastwestgateway' } as const;

export interface Exposure {
  readonly gateway: KubeObject | undefined;
  readonly virtualService: KubeObject | undefined;
}

/** The objects that expose this revision now, whatever they are called. */
export async function readExposure(
  {
    entry,
    api,
    apiVersion,
    revision,
    hostname,
  }: {
    readonly entry: ClusterEntry;
    readonly api: ClusterApi;
    readonly apiVersion: string;
    readonly revision: string;
    /** The gateway's host name, where VMs call istiod by it: a route that does not take that is none. */
    readonly hostname?: string | undefined;
  },
  options?: CallOptions,
): Promise<Exposure> {
  const { namespace } = entry.istio;
  const [gateways, routes] = await Promise.all([
    api.list({ apiVersion, kind: 'Gateway', namespace }, options),
    api.list({ apiVersion, kind: 'VirtualService', namespace }, options),
  ]);
  const gateway = gateways.find(isPassthrough);
  return {
    gateway,
    virtualService:
      gateway === undefined ? undefined : routes.find((route) => leadsToIstiod(route, gateway, { entry, revision, hostname })),
  };
}

function isPassthrough(gateway: KubeObject): boolean {
  return listAt(gateway, 'spec', 'servers').some(
    (server) => numberAt(server, 'port', 'number') === ISTIOD_PORT && textAt(server, 'tls', 'mode') === 'PASSTHROUGH',
  );
}

function leadsToIstiod(
  route: KubeObject,
  { metadata: { name } }: KubeObject,
  { entry, revision, hostname }: { readonly entry: ClusterEntry; readonly revision: string; readonly hostname: string | undefined },
): boolean {
  const { namespace } = entry.istio;
  if (!listAt(route, 'spec', 'gateways').some((one) => one === name || one === `${namespace}/${name}`)) return false;
  const service = revisioned('istiod', revision);
  const hosts = [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, `${service}.${namespace}.svc.${entry.clusterDomain}`];
  return listAt(route, 'spec', 'tls').some(
    (rule) =>
      listAt(rule, 'match').some(
        (match) => (numberAt(match, 'port') ?? ISTIOD_PORT) === ISTIOD_PORT && (hostname === undefined || takes(match, hostname)),
      ) &&
      listAt(rule, 'route').some(
        (to) => hosts.includes(textAt(to, 'destination', 'host') ?? '') && numberAt(to, 'destination', 'port', 'number') === ISTIOD_PORT,
      ),
  );
}

/** `*` and `*.DOMAIN` stand for names (VirtualService, tls.match.sniHosts). */
function takes(match: unknown, hostname: string): boolean {
  return listAt(match, 'sniHosts').some(
    (one) => one === hostname || (typeof one === 'string' && one.startsWith('*') && hostname.endsWith(one.slice(1))),
  );
}

export function gatewayObject(entry: ClusterEntry, apiVersion: string, service: KubeObject | undefined): KubeObject {
  const server = (number: number, name: string): unknown => ({
    port: { number, name, protocol: 'TLS' },
    tls: { mode: 'PASSTHROUGH' },
    hosts: ['*'],
  });
  return {
    apiVersion,
    kind: 'Gateway',
    metadata: { name: GATEWAY, namespace: entry.istio.namespace },
    spec: { selector: selectorOf(service), servers: [server(ISTIOD_PORT, 'tls-istiod'), server(WEBHOOK_PORT, 'tls-istiodwebhook')] },
  };
}

/** The gateway's own label tells it from others; a gateway of another kind is told by all that its Service selects. */
function selectorOf(service: KubeObject | undefined): Readonly<Record<string, string>> {
  const selector = stringsAt(service, 'spec', 'selector');
  return Object.keys(selector).length === 0 || selector.istio === GATEWAY_SELECTOR.istio ? GATEWAY_SELECTOR : selector;
}

/** A revision is told by the name that VMs call it by; the only istiod takes whatever comes. */
export function virtualServiceObject(
  entry: ClusterEntry,
  apiVersion: string,
  revision: string,
  { gateway = GATEWAY, hostname }: { readonly gateway?: string | undefined; readonly hostname?: string | undefined } = {},
): KubeObject {
  const { namespace } = entry.istio;
  const name = revisioned('istiod', revision);
  const host = `${name}.${namespace}.svc.${entry.clusterDomain}`;
  const sniHosts = isRevisioned(revision) ? [`${name}.${namespace}.svc`, host, ...(hostname === undefined ? [] : [hostname])] : ['*'];
  const rule = (port: number, number: number): unknown => ({
    match: [{ port, sniHosts }],
    route: [{ destination: { host, port: { number } } }],
  });
  return {
    apiVersion,
    kind: 'VirtualService',
    metadata: { name: revisioned('istiod-vs', revision), namespace },
    spec: { hosts: ['*'], gateways: [gateway], tls: [rule(ISTIOD_PORT, ISTIOD_PORT), rule(WEBHOOK_PORT, 443)] },
  };
}
