import { z } from 'zod';
import type { KubeObject } from '../../mesh/ports.ts';
import { ingressAddressOf, podAddressOf, serviceSpecOf } from '../cluster/shapes.ts';
import type { ObjectStore } from '../cluster/store.ts';
import { GATEWAY_ADDRESS } from './seed.ts';

const NETWORKING = 'networking.istio.io/v1';
const text = z.array(z.string()).default([]);
const gatewaySpec = z.object({
  selector: z.record(z.string(), z.string()).default({}),
  servers: z
    .array(z.object({ port: z.object({ number: z.number() }), tls: z.object({ mode: z.string() }).optional(), hosts: text }))
    .default([]),
});
const routeSpec = z.object({
  gateways: text,
  tls: z
    .array(
      z.object({
        match: z.array(z.object({ port: z.number().optional(), sniHosts: text })).default([]),
        route: z.array(z.object({ destination: z.object({ host: z.string() }) })).default([]),
      }),
    )
    .default([]),
});

export type Reach = 'istiod' | 'refused' | 'timeout';

/** Where a machine's connection ends: at istiod directly, through the east-west gateway once a Gateway and a VirtualService lead there (istiod facts 3.1), or nowhere. */
export function reach(store: ObjectStore, address: string, port: number, serverName: string): Reach {
  const pods = store.list({ apiVersion: 'v1', kind: 'Pod' });
  const pod = pods.find((one) => podAddressOf(one) === address);
  if (pod !== undefined) return pod.metadata.labels?.app === 'istiod' && port === 15012 ? 'istiod' : 'refused';
  const service = store.list({ apiVersion: 'v1', kind: 'Service' }).find((one) => ingressAddressOf(one) === address);
  if (service === undefined) return address === GATEWAY_ADDRESS ? 'refused' : 'timeout';
  const selector = serviceSpecOf(service).selector ?? {};
  const open = serviceSpecOf(service).ports.some((one) => one.port === port);
  return open && selector.istio === 'eastwestgateway' && isExposed(store, selector, port, serverName) ? 'istiod' : 'refused';
}

function isExposed(store: ObjectStore, pods: Readonly<Record<string, string>>, port: number, serverName: string): boolean {
  const routes = store.list({ apiVersion: NETWORKING, kind: 'VirtualService' });
  return store
    .list({ apiVersion: NETWORKING, kind: 'Gateway' })
    .filter((gateway) => listens(gateway, pods, port, serverName))
    .some((gateway) => routes.some((route) => leadsToIstiod(route, gateway, port, serverName)));
}

function listens(gateway: KubeObject, pods: Readonly<Record<string, string>>, port: number, serverName: string): boolean {
  const parsed = gatewaySpec.safeParse(gateway.spec);
  if (!parsed.success || !Object.entries(parsed.data.selector).every(([key, value]) => key === 'app' || pods[key] === value)) return false;
  return parsed.data.servers.some(
    (server) => server.port.number === port && server.tls?.mode === 'PASSTHROUGH' && server.hosts.some((host) => fits(host, serverName)),
  );
}

function leadsToIstiod(route: KubeObject, gateway: KubeObject, port: number, serverName: string): boolean {
  const parsed = routeSpec.safeParse(route.spec);
  const { name, namespace = '' } = gateway.metadata;
  const named = [`${namespace}/${name}`, ...(route.metadata.namespace === namespace ? [name] : [])];
  if (!parsed.success || !parsed.data.gateways.some((one) => named.includes(one))) return false;
  return parsed.data.tls.some(
    ({ match, route: to }) =>
      match.some((one) => (one.port ?? port) === port && one.sniHosts.some((host) => fits(host, serverName))) &&
      to.some(({ destination }) => /^istiod(\.istio-system(\.svc(\.cluster\.local)?)?)?$/.test(destination.host)),
  );
}

function fits(pattern: string, name: string): boolean {
  const host = pattern.split('/').at(-1) ?? '';
  return host === '*' || host === name || (host.startsWith('*.') && name.endsWith(host.slice(1)));
}
