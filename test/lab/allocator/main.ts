// The load-balancer allocator: a stand-in for a cloud's controller of (internal) load balancers, which no cluster without a cloud has (citadel facts 3).
// It watches the services of type LoadBalancer, gives each an address on the lab's bridge and writes status.loadBalancer; kube-proxy, the real one, serves that address.
// As on Google's cloud an address is internal only with the annotation `cloud.google.com/load-balancer-type: internal`; every other one is public.
// Two annotations of the lab's own make what clouds do too: `lab.mesh-expansion/pending: "true"` stays pending, and an event says why;
// `lab.mesh-expansion/hostname: NAME` gives a name and no address, as AWS does.
import { execFile } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import type { V1Service } from '@kubernetes/client-node';
import {
  CoreV1Api,
  CoreV1Event,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  V1EventSource,
  V1ObjectMeta,
  V1ObjectReference,
} from '@kubernetes/client-node';
import type { Ingress } from './plan.ts';
import { decide, freeAddress } from './plan.ts';

const COMPONENT = 'lab-load-balancer-allocator';

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string' }, bridge: { type: 'string' }, internal: { type: 'string' }, public: { type: 'string' } },
});
const { kubeconfig, bridge } = values;
if (!kubeconfig || !bridge || !values.internal || !values.public)
  throw new Error('usage: main.ts --kubeconfig FILE --bridge LINK --internal CIDR --public CIDR');
const ranges = { internal: values.internal, public: values.public };

const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(CoreV1Api);
/** Address that each service holds, by namespace/name. */
const held = new Map<string, string>();
/** Why each pending service is pending, so that the event is made once and not with every change. */
const said = new Map<string, string>();

function keyOf(service: V1Service): string {
  return `${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
}

async function linkAddress(action: 'replace' | 'del', address: string): Promise<void> {
  await promisify(execFile)('ip', ['addr', action, `${address}/32`, 'dev', bridge ?? ''], { timeout: 5000 }).catch((error: unknown) => {
    // Deleting what is not there is what was wanted.
    if (action === 'replace') throw error;
  });
}

async function release(key: string): Promise<void> {
  const address = held.get(key);
  held.delete(key);
  said.delete(key);
  if (address) await linkAddress('del', address);
}

async function writeIngress(service: V1Service, ingress: readonly Ingress[]): Promise<void> {
  await core.patchNamespacedServiceStatus(
    {
      namespace: service.metadata?.namespace ?? '',
      name: service.metadata?.name ?? '',
      fieldManager: COMPONENT,
      body: { status: { loadBalancer: { ingress: ingress.length > 0 ? ingress : null } } },
    },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
}

async function emit(service: V1Service, type: 'Normal' | 'Warning', reason: string, message: string): Promise<void> {
  const namespace = service.metadata?.namespace ?? '';
  const name = service.metadata?.name ?? '';
  const { uid, resourceVersion } = service.metadata ?? new V1ObjectMeta();
  const now = new Date();
  const body = Object.assign(new CoreV1Event(), {
    metadata: Object.assign(new V1ObjectMeta(), { generateName: `${name}.`, namespace }),
    involvedObject: Object.assign(new V1ObjectReference(), { apiVersion: 'v1', kind: 'Service', namespace, name, uid, resourceVersion }),
    source: Object.assign(new V1EventSource(), { component: COMPONENT }),
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
  });
  await core.createNamespacedEvent({ namespace, body });
}

async function explainPending(service: V1Service, why: string): Promise<void> {
  const key = keyOf(service);
  if (said.get(key) === why) return;
  await emit(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
  await emit(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: failed to ensure load balancer: ${why}`);
  said.set(key, why);
}

async function giveAddress(service: V1Service, range: 'internal' | 'public'): Promise<void> {
  const key = keyOf(service);
  const address = freeAddress(ranges[range], new Set(held.values()));
  if (!address) {
    await explainPending(service, `no address is left in ${ranges[range]}`);
    return;
  }
  await release(key);
  held.set(key, address);
  await linkAddress('replace', address);
  await writeIngress(service, [{ ip: address }]);
  await emit(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
}

async function reconcile(service: V1Service, deleted: boolean): Promise<void> {
  const key = keyOf(service);
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const decision = decide(
    { type: service.spec?.type, deleted, annotations: service.metadata?.annotations ?? {}, ingress },
    ranges.internal,
  );
  switch (decision.kind) {
    case 'release':
      await release(key);
      if (!deleted && ingress.length > 0) await writeIngress(service, []);
      return;
    case 'keep': {
      const address = ingress[0]?.ip;
      if (!address || held.get(key) === address) return;
      held.set(key, address);
      await linkAddress('replace', address);
      return;
    }
    case 'pending':
      await explainPending(service, "googleapi: Error 403: Quota 'FORWARDING_RULES' exceeded. Limit: 15.0 globally., quotaExceeded");
      return;
    case 'hostname':
      await release(key);
      await writeIngress(service, [{ hostname: decision.hostname }]);
      await emit(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      return;
    case 'address':
      await giveAddress(service, decision.range);
  }
}

// One after the other: two services must not be given the same address.
let queue = Promise.resolve();
function enqueue(service: V1Service, deleted: boolean): void {
  queue = queue
    .then(() => reconcile(service, deleted))
    .catch((error: unknown) => {
      console.error(`${keyOf(service)}: ${error instanceof Error ? error.message : String(error)}`);
      if (!deleted) setTimeout(() => void retry(service), 1000);
    });
}

async function retry(service: V1Service): Promise<void> {
  const namespace = service.metadata?.namespace ?? '';
  const name = service.metadata?.name ?? '';
  const fresh = await core.readNamespacedService({ namespace, name }).catch(() => undefined);
  if (fresh) enqueue(fresh, false);
}

const informer = makeInformer(config, '/api/v1/services', () => core.listServiceForAllNamespaces());
// What exists already is learned before anything is given away, so that a restart hands nobody another's address.
const existing = await core.listServiceForAllNamespaces();
for (const service of existing.items) {
  const address = service.spec?.type === 'LoadBalancer' ? service.status?.loadBalancer?.ingress?.[0]?.ip : undefined;
  if (!address) continue;
  held.set(keyOf(service), address);
  await linkAddress('replace', address);
}
informer.on('add', (service) => enqueue(service, false));
informer.on('update', (service) => enqueue(service, false));
informer.on('delete', (service) => enqueue(service, true));
informer.on('error', (error: unknown) => {
  console.error(`watch: ${String(error)}`);
  void sleep(500)
    .then(() => informer.start())
    .catch((failure: unknown) => {
      console.error(`watch cannot start again: ${String(failure)}`);
      process.exit(1);
    });
});
await informer.start();
