import type { Clock, ClusterApi, KubeObject, PackageFile, PushFile, VmHost } from '../../../src/mesh/ports.ts';
import { generateKeys } from '../../../src/playground/certificates.ts';
import type { Playground } from '../../../src/playground/index.ts';
import { createPlayground } from '../../../src/playground/index.ts';

/** A clock that goes on by what is slept, at once. */
export function quickClock(start = '2026-01-02T03:04:05Z'): Clock & { advance(milliseconds: number): void } {
  let now = new Date(start).getTime();
  return {
    now: () => new Date(now),
    sleep: async (milliseconds) => {
      now += milliseconds;
      await Promise.resolve();
    },
    advance: (milliseconds) => (now += milliseconds),
  };
}

const KEY_PAIRS = 12;
const made: ReturnType<typeof generateKeys>[] = [];
let asked = 0;

/** Real keys, each made once: a playground with Citadel has seven, and tests make dozens of playgrounds. */
async function nextKeys(): ReturnType<typeof generateKeys> {
  const index = asked++ % KEY_PAIRS;
  return (made[index] ??= generateKeys());
}

/** A playground with that clock. */
export function playground(clock: Clock, options: { readonly denied?: readonly string[] } = {}): Playground {
  return createPlayground({ clock, newKeys: nextKeys, ...options });
}

export const OWNER = { vm: 'playground-vm-1', cluster: 'playground', era: 'citadel', release: '1.0.3' };
export const CREATES = { paths: ['/etc/certs', '/var/lib/istio', '/var/log/istio'], users: ['istio-proxy'], groups: ['istio-proxy'] };

export interface World {
  readonly clock: ReturnType<typeof quickClock>;
  readonly api: ClusterApi;
  readonly host: VmHost;
  readonly sidecar: PackageFile;
}

export async function world(options: { readonly denied?: readonly string[] } = {}): Promise<World> {
  const clock = quickClock();
  const { connections, packages } = playground(clock, options);
  const sidecar = await packages.fetch({ kind: 'file', path: '/tmp/istio-sidecar.deb' });
  return { clock, api: await connections.cluster('playground'), host: await connections.host('playground-vm-1'), sidecar };
}

/** A Service of type LoadBalancer as `mesh-expansion.yaml` of 1.0.3 has it (citadel facts 3), written by hand. */
export function balancer(
  name: string,
  namespace: string,
  selector: Record<string, string>,
  ports: readonly { name?: string; port: number; protocol?: string }[],
  internal = true,
): KubeObject {
  const annotations: Record<string, string> = internal ? { 'cloud.google.com/load-balancer-type': 'internal' } : {};
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations, labels: selector },
    spec: { type: 'LoadBalancer', selector, ports },
  };
}

export const BALANCERS = [
  balancer('istio-pilot-ilb', 'istio-system', { istio: 'pilot' }, [
    { name: 'https-pilot', port: 15005 },
    { name: 'http-pilot', port: 8080 },
    { name: 'grpc-pilot', port: 15010 },
    { name: 'tls-grpc-pilot', port: 15011 },
  ]),
  balancer('mixer-ilb', 'istio-system', { istio: 'mixer', 'istio-mixer-type': 'telemetry' }, [{ port: 15004 }]),
  balancer('citadel-ilb', 'istio-system', { istio: 'citadel' }, [{ port: 8060 }]),
  balancer('dns-ilb', 'kube-system', { 'k8s-app': 'kube-dns' }, [{ port: 53, protocol: 'UDP' }]),
];

export function addressOf(service: KubeObject | undefined): string {
  const { loadBalancer } = service!.status as { loadBalancer: { ingress: { ip: string }[] } };
  return loadBalancer.ingress[0]!.ip;
}

/** Lets work that was started in the background go on. */
export async function moments(count = 20): Promise<void> {
  for (let index = 0; index < count; index += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The VM's files for this world, written by hand from citadel facts 1 and 2. */
export async function handmadeFiles(api: ClusterApi): Promise<PushFile[]> {
  for (const service of BALANCERS) await api.apply(service);
  await moments();
  const ip = async (name: string, namespace: string): Promise<string> =>
    addressOf(await api.get({ apiVersion: 'v1', kind: 'Service', name, namespace }));
  const [dns, pilot, mixer, citadel] = [
    await ip('dns-ilb', 'kube-system'),
    await ip('istio-pilot-ilb', 'istio-system'),
    await ip('mixer-ilb', 'istio-system'),
    await ip('citadel-ilb', 'istio-system'),
  ];
  const kubedns = [`server=/svc.cluster.local/${dns}`];
  for (const suffix of ['', '.istio-system']) {
    kubedns.push(
      `address=/istio-policy${suffix}/${mixer}`,
      `address=/istio-telemetry${suffix}/${mixer}`,
      `address=/istio-pilot${suffix}/${pilot}`,
      `address=/istio-citadel${suffix}/${citadel}`,
      `address=/istio-ca${suffix}/${citadel}`,
    );
  }
  const secret = await api.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'vm', name: 'istio.default' });
  const pem = (name: string): string => Buffer.from((secret!.data as Record<string, string>)[name]!, 'base64').toString('utf8');
  const root = { owner: 'root', group: 'root', mode: 0o644 };
  const proxy = { owner: 'istio-proxy', group: 'istio-proxy', mode: 0o644 };
  return [
    { path: '/etc/resolv.conf', content: 'nameserver 127.0.0.1\nnameserver 10.150.0.1\n', ...root },
    { path: '/etc/dnsmasq.d/kubedns', content: `${kubedns.join('\n')}\n`, ...root },
    {
      path: '/var/lib/istio/envoy/cluster.env',
      content: 'ISTIO_SERVICE_CIDR=10.63.240.0/20\nISTIO_SYSTEM_NAMESPACE=istio-system\nISTIO_CP_AUTH=MUTUAL_TLS\n',
      ...proxy,
    },
    { path: '/etc/certs/root-cert.pem', content: pem('root-cert.pem'), ...proxy },
    { path: '/etc/certs/cert-chain.pem', content: pem('cert-chain.pem'), ...proxy },
    { path: '/etc/certs/key.pem', content: pem('key.pem'), ...proxy, mode: 0o600 },
  ];
}
