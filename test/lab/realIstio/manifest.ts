// The objects of Istio's own install, as its istioctl prints them offline: the real CRDs, mesh ConfigMap, injector, Service and Deployment of istiod.
import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseAllDocuments, parse, stringify } from 'yaml';
import type { LabAddresses } from '../addresses.ts';
import { NODE_NAME } from '../cluster.ts';
import type { LabObject, ObjectWithStatus } from '../objects/kinds.ts';
import { deploymentStatus, podStatus, service, workload } from '../objects/kinds.ts';
import { ISTIOD_RELEASE } from '../toolchain/binaries.ts';
import { exists } from '../toolchain/builds.ts';
import { runGo } from '../toolchain/run.ts';

export const ISTIO_NAMESPACE = 'istio-system';
/** Name that istiod knows its own cluster by. */
export const CLUSTER_ID = 'Kubernetes';
/** Labels of the east-west gateway, from Istio's own generator (istiod facts 3.1). */
export const GATEWAY_LABELS = { app: 'istio-eastwestgateway', istio: 'eastwestgateway' } as const;
export const GATEWAY_ACCOUNT = 'istio-eastwestgateway-service-account';

// One of each is enough: istiod is a process of the lab, so its roles, its autoscaler and an ingress gateway have nobody to serve.
const WANTED = [
  'CustomResourceDefinition',
  'ConfigMap',
  'ServiceAccount/istiod',
  'Service/istiod',
  'Deployment/istiod',
  'MutatingWebhookConfiguration/istio-sidecar-injector',
];

export interface InstalledIstio {
  objects: LabObject[];
  statuses: ObjectWithStatus[];
  /** The mesh configuration in YAML, as in the ConfigMap `istio`. */
  mesh: string;
}

/** What the cluster shows of an installed istiod and of an east-west gateway that does not expose it yet. Throws CommandError when istioctl fails. */
export async function installedIstio(istioctl: string, addresses: LabAddresses): Promise<InstalledIstio> {
  const objects = (await manifest(istioctl))
    .filter(({ kind, metadata }) => WANTED.includes(kind) || WANTED.includes(`${kind}/${metadata.name}`))
    .map(released);
  const meshMap = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'istio');
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const injector = objects.find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  if (!meshMap || !deployment || !injector) throw new Error('istioctl manifest generate did not print all of istiod');
  const mesh = stockEnvoyMesh(meshMap);
  const others = objects.filter((object) => ![meshMap, injector].includes(object));
  const istiodPod = pod('istiod', { ...deployment.metadata.labels, 'istio.io/dataplane-mode': 'none' }, 'istiod', 'discovery', 'pilot');
  const gateway = workload(
    {
      namespace: ISTIO_NAMESPACE,
      name: GATEWAY_LABELS.app,
      serviceAccount: GATEWAY_ACCOUNT,
      labels: GATEWAY_LABELS,
      container: 'istio-proxy',
      image: image('proxyv2'),
      address: addresses.pods.eastwestgateway,
    },
    NODE_NAME,
    addresses.router,
  );
  return {
    mesh,
    objects: [
      ...others,
      { ...meshMap, data: { ...dataOf(meshMap), mesh } },
      ...webhooks(injector),
      istiodPod,
      gatewayService(),
      ...gateway.objects,
    ],
    statuses: [
      { object: deployment, status: deploymentStatus() },
      { object: istiodPod, status: podStatus('discovery', image('pilot'), addresses.pods.istiod, addresses.router) },
      ...gateway.statuses,
    ],
  };
}

/** What this istioctl prints, kept beside it: it says the same each time, and takes a second to print and to read. */
async function manifest(istioctl: string): Promise<readonly LabObject[]> {
  const settings = [
    'profile=default',
    'hub=docker.io/istio',
    `tag=${ISTIOD_RELEASE}`,
    `values.global.multiCluster.clusterName=${CLUSTER_ID}`,
  ];
  const key = createHash('sha256').update(settings.join()).digest('hex').slice(0, 12);
  const kept = path.join(path.dirname(istioctl), `manifest-${key}.json`);
  if (await exists(kept)) return JSON.parse(await readFile(kept, 'utf8')) as LabObject[];
  const { stdout } = await runGo([istioctl, 'manifest', 'generate', ...settings.flatMap((setting) => ['--set', setting])]);
  const objects = parseAllDocuments(stdout)
    .map((document) => document.toJS() as unknown)
    .filter(isObject);
  const unfinished = `${kept}.${process.pid}`;
  await writeFile(unfinished, JSON.stringify(objects));
  await rename(unfinished, kept);
  return objects;
}

function isObject(value: unknown): value is LabObject {
  return typeof value === 'object' && value !== null && 'kind' in value && 'metadata' in value;
}

// A build of the module does not know the chart's version; a release does.
function released(object: LabObject): LabObject {
  return JSON.parse(
    JSON.stringify(object)
      .replaceAll('"app.kubernetes.io/version":"1.0.0"', `"app.kubernetes.io/version":"${ISTIOD_RELEASE}"`)
      .replaceAll('"helm.sh/chart":"istiod-1.0.0"', `"helm.sh/chart":"istiod-${ISTIOD_RELEASE}"`),
  ) as LabObject;
}

// Without a default provider the sidecars get no filter that only Istio's own build of Envoy has (istio.stats); the lab's Envoy is the stock one.
function stockEnvoyMesh(meshMap: LabObject): string {
  const mesh: unknown = parse(String(dataOf(meshMap).mesh));
  return stringify({ ...(typeof mesh === 'object' ? mesh : {}), defaultProviders: {} });
}

function dataOf(configMap: LabObject): Record<string, unknown> {
  return typeof configMap.data === 'object' ? { ...configMap.data } : {};
}

// Both are there for who asks which revision is the default one (istiod facts 1.4). No pod is injected in the lab: they match no namespace, and would be ignored.
function webhooks(injector: LabObject): LabObject[] {
  const harmless = (Array.isArray(injector.webhooks) ? injector.webhooks : []).map((webhook: Record<string, unknown>) => ({
    ...webhook,
    failurePolicy: 'Ignore',
    namespaceSelector: { matchLabels: { 'lab.mesh-expansion/inject': 'never' } },
  }));
  const tag = {
    ...injector.metadata,
    name: 'istio-revision-tag-default',
    labels: { ...injector.metadata.labels, 'istio.io/tag': 'default' },
  };
  return [
    { ...injector, webhooks: harmless },
    { ...injector, metadata: tag, webhooks: harmless },
  ];
}

// The annotation makes its address one that machines and this host reach alike.
function gatewayService(): LabObject {
  const ports = [
    { name: 'status-port', port: 15021 },
    { name: 'tls', port: 15443 },
    { name: 'tls-istiod', port: 15012 },
    { name: 'tls-webhook', port: 15017 },
  ];
  const gateway = service(ISTIO_NAMESPACE, GATEWAY_LABELS.app, GATEWAY_LABELS, ports, { type: 'LoadBalancer' });
  return { ...gateway, metadata: { ...gateway.metadata, annotations: { 'cloud.google.com/load-balancer-type': 'internal' } } };
}

function image(name: string): string {
  return `docker.io/istio/${name}:${ISTIOD_RELEASE}`;
}

function pod(name: string, labels: Readonly<Record<string, string>>, account: string, container: string, imageName: string): LabObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-lab`, namespace: ISTIO_NAMESPACE, labels },
    spec: { serviceAccountName: account, containers: [{ name: container, image: image(imageName) }], nodeName: NODE_NAME },
  };
}
