// Istio's VM guide, followed by hand: kubectl, istioctl, dpkg and a root shell. What a test of the product compares with, and what tests the lab itself.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Lab } from '../env.ts';
import { run } from '../toolchain/run.ts';
import { eventually } from './eventually.ts';

export { eventually };

const server = (name: string, number: number) => ({ port: { name, number, protocol: 'tls' }, tls: { mode: 'PASSTHROUGH' }, hosts: ['*'] });
const route = (port: number, target: number) => ({
  match: [{ port, sniHosts: ['*'] }],
  route: [{ destination: { host: 'istiod.istio-system.svc.cluster.local', port: { number: target } } }],
});

/** Gateway and VirtualService that expose istiod at the east-west gateway (istiod facts 3.1), as a kubectl List. */
export const EXPOSE_ISTIOD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'istiod-gateway', namespace: 'istio-system' },
      spec: { selector: { istio: 'eastwestgateway' }, servers: [server('tls-istiod', 15012), server('tls-istiodwebhook', 15017)] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'istiod-vs', namespace: 'istio-system' },
      spec: { hosts: ['*'], gateways: ['istiod-gateway'], tls: [route(15012, 15012), route(15017, 443)] },
    },
  ],
});

/** Applies them. Resolves when 15012 of the gateway accepts. */
export async function exposeIstiod(lab: Lab): Promise<void> {
  await lab.kubectl(['apply', '-f', '-'], { input: EXPOSE_ISTIOD });
  const gateway = await gatewayAddress(lab);
  await eventually('15012 of the east-west gateway', async () => (await connectionEnds(gateway, 15012)) !== 7);
}

/** Deletes them. Resolves when 15012 of the gateway refuses. */
export async function hideIstiod(lab: Lab): Promise<void> {
  await lab.kubectl(['delete', '--ignore-not-found', '-f', '-'], { input: EXPOSE_ISTIOD });
  const gateway = await gatewayAddress(lab);
  await eventually('silence at 15012 of the east-west gateway', async () => (await connectionEnds(gateway, 15012)) === 7);
}

/** Exit code of curl for a bare TCP connection from this host: 7 refused, 28 accepted and silent. */
export async function connectionEnds(address: string, port: number): Promise<number> {
  return (await run(['curl', '-sS', '--max-time', '1', `telnet://${address}:${port}`], { input: '', tolerant: true })).code;
}

/** Address of the east-west gateway's Service, once it has one. */
export async function gatewayAddress(lab: Lab): Promise<string> {
  let address = '';
  await eventually('an address of the east-west gateway', async () => {
    const query = ['-n', 'istio-system', 'get', 'service', 'istio-eastwestgateway', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'];
    address = (await lab.kubectl(query)).stdout;
    return address !== '';
  });
  return address;
}

export interface GroupByHand {
  /** Of the WorkloadGroup, its label `app` and its service account. */
  name: string;
  namespace: string;
  ports?: Readonly<Record<string, number>>;
  /** `spec.probe` as it is. */
  probe?: unknown;
}

/** A group of machines with the application of echo.ts on a port, as healthy as that is. */
export function echoGroup(name: string, port: number): GroupByHand {
  return { name, namespace: 'vm', ports: { http: port }, probe: { periodSeconds: 2, httpGet: { path: '/healthz', port } } };
}

/** Makes the service account and the WorkloadGroup. */
export async function applyGroup(lab: Lab, { name, namespace, ports, probe }: GroupByHand): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
  const group = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadGroup',
    metadata: { name, namespace },
    spec: {
      metadata: { labels: { app: name } },
      template: { serviceAccount: name, ...(ports ? { ports } : {}) },
      ...(probe ? { probe } : {}),
    },
  };
  await lab.kubectl(['apply', '-f', '-'], { input: [account, group].map((object) => stringify(object)).join('---\n') });
}

/** Takes both away again. */
export async function deleteGroup(lab: Lab, { name, namespace }: GroupByHand): Promise<void> {
  await lab.kubectl(['-n', namespace, 'delete', '--ignore-not-found', `workloadgroup/${name}`, `serviceaccount/${name}`]);
}

/** Files of `istioctl x workload entry configure --autoregister` for the group. */
export async function configureByIstioctl(lab: Lab, { name, namespace }: GroupByHand): Promise<Readonly<Record<GuideFile, string>>> {
  const output = await mkdtemp(path.join(os.tmpdir(), 'istioctl-'));
  try {
    await lab.istioctl(['x', 'workload', 'entry', 'configure', '--name', name, '-n', namespace, '-o', output, '--autoregister']);
    const texts = await Promise.all(GUIDE_FILES.map(async (file) => [file, await readFile(path.join(output, file), 'utf8')] as const));
    return Object.fromEntries(texts) as Record<GuideFile, string>;
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

export const GUIDE_FILES = ['cluster.env', 'istio-token', 'mesh.yaml', 'root-cert.pem', 'hosts'] as const;
export type GuideFile = (typeof GUIDE_FILES)[number];

/** Installs the lab's package on the machine, puts the group's files where the guide says, and starts istio. The machine has them, and istio is starting, when this resolves. */
export async function joinByHand(lab: Lab, machine: string, group: GroupByHand): Promise<void> {
  const files = await configureByIstioctl(lab, group);
  await installPackage(lab, machine, lab.sidecarPackageUrl);
  const places: Readonly<Record<GuideFile, string>> = {
    'cluster.env': '>/var/lib/istio/envoy/cluster.env',
    'mesh.yaml': '>/etc/istio/config/mesh',
    'root-cert.pem': '>/etc/certs/root-cert.pem',
    'istio-token': '>/var/run/secrets/tokens/istio-token',
    hosts: '>>/etc/hosts',
  };
  await lab.onMachine(machine, ['mkdir', '-p', '/etc/certs', '/var/run/secrets/tokens', '/etc/istio/proxy']);
  for (const file of GUIDE_FILES) await lab.onMachine(machine, ['sh', '-c', `cat ${places[file]}`], { input: files[file] });
  const owned = '/var/lib/istio /etc/certs /etc/istio/proxy /etc/istio/config /var/run/secrets';
  await lab.onMachine(machine, ['sh', '-c', `chown -R istio-proxy ${owned}`]);
  await lab.onMachine(machine, ['systemctl', 'start', '--no-block', 'istio']);
}

/** Fetches a package over HTTP and installs it with dpkg, changed conffiles kept. */
export async function installPackage(lab: Lab, machine: string, url: string): Promise<string> {
  const script =
    'curl -sSf --connect-timeout 5 --retry 8 --retry-all-errors -m 90 -o /tmp/package.deb "$1" && dpkg --force-confold -i /tmp/package.deb; code=$?; rm -f /tmp/package.deb; exit $code';
  return (await lab.onMachine(machine, ['sh', '-c', script, 'sh', url], { timeout: 120_000 })).stdout;
}

export interface WorkloadEntry {
  metadata: {
    name: string;
    resourceVersion?: string;
    annotations?: Readonly<Record<string, string>>;
    labels?: Readonly<Record<string, string>>;
  };
  spec: Readonly<Record<string, unknown>>;
  status?: { conditions?: readonly { type: string; status: string; message?: string; lastProbeTime?: string }[] };
}

/** All entries of a namespace, as they are now. */
export async function entriesIn(lab: Lab, namespace: string): Promise<readonly WorkloadEntry[]> {
  const { items } = (await lab.read(`/apis/networking.istio.io/v1/namespaces/${namespace}/workloadentries`)) as { items: WorkloadEntry[] };
  return items;
}

/** The entries of the group, as they are now. */
export async function entriesOf(lab: Lab, { name, namespace }: GroupByHand): Promise<readonly WorkloadEntry[]> {
  return (await entriesIn(lab, namespace)).filter(({ metadata }) => metadata.annotations?.['istio.io/autoRegistrationGroup'] === name);
}

/** The one entry of the group says that its machine is connected. */
export async function isConnected(lab: Lab, group: GroupByHand): Promise<boolean> {
  const [entry, ...others] = await entriesOf(lab, group);
  return others.length === 0 && entry?.metadata.annotations?.['istio.io/connectedAt'] !== undefined;
}

/** Status of the condition Healthy of the group's one entry: True, False, or undefined where nothing was said yet. */
export async function healthOf(lab: Lab, group: GroupByHand): Promise<string | undefined> {
  const [entry] = await entriesOf(lab, group);
  return entry?.status?.conditions?.find(({ type }) => type === 'Healthy')?.status;
}
