import type { ClusterScope } from '../era.ts';
import { cancelled, isMeshError } from '../errors.ts';
import type { SetupOptions, SetupPreview } from '../mesh.ts';
import { message } from '../messages.ts';
import type { Provider } from '../model.ts';
import type { Plan, Step, StepDetail } from '../plan.ts';
import type { Access, CallOptions, ServiceCidrs } from '../ports.ts';
import { parseManifest, type EditedManifest } from './manifest.ts';
import { ADDRESS_FIELD, balancerManifest, balancerObjects, balancerRef, readBalancers, withoutAddress } from './loadBalancers.ts';
import { assertAccess, deniedAccess } from '../cluster/access.ts';
import { objectStep } from '../cluster/objectStep.ts';
import { refName } from '../problem.ts';
import { factsOf } from './factsOf.ts';
import { detectProvider, providerFacts } from './providers.ts';

/** The script's 20 rounds of 30 s (citadel facts 1.1). */
const DEFAULT_WAIT_MS = 600_000;
const POLL_MS = 2_000;

/** Everything Set Up Cluster shows, read only. An unknown provider leaves the manifest empty; one that is not served yet throws. */
export async function setupPreview(scope: ClusterScope, setup: SetupOptions, options: CallOptions = {}): Promise<SetupPreview> {
  const [{ provider, source }, serviceCidrs, denied] = await Promise.all([
    chooseProvider(scope, setup, options),
    readServiceCidrs(scope, options),
    deniedAccess(scope, questions(scope), options),
  ]);
  const base = { controlPlane: scope.controlPlane, provider, providerSource: source, serviceCidrs, denied };
  if (provider === undefined) return { ...base, manifest: '', objects: [] };
  const manifest = setup.manifest ?? pristineManifest(scope, provider);
  return { ...base, manifest, objects: edited(scope, manifest, provider).objects };
}

/**
 * The plan of Set Up Cluster: the load balancers one by one, then the wait for their addresses. Throws before anything is changed: `cluster.provider-unknown`,
 * `cluster.provider-unsupported`, `citadel.manifest`, `cluster.access-denied` (what the account may not do).
 */
export async function planSetup(scope: ClusterScope, setup: SetupOptions, options: CallOptions = {}): Promise<Plan> {
  await assertAccess(scope, questions(scope), options);
  const { provider } = await chooseProvider(scope, setup, options);
  const facts = providerFacts(provider);
  const { objects, findings } = edited(scope, setup.manifest ?? pristineManifest(scope, facts.provider), facts.provider);
  const notes: readonly StepDetail[] = findings.map(({ text }) => ({ kind: 'note', text }));
  const isPublic = findings.some(({ severity }) => severity === 'error');
  const waitMs = setup.waitMs ?? DEFAULT_WAIT_MS;
  return {
    id: 'setup',
    title: message('citadel.setup.title', { cluster: scope.entry.name, release: scope.controlPlane.release }),
    context: scope.entry.context,
    hosts: [],
    steps: [...objects.map((object) => objectStep(scope, object, notes)), ...(waitMs > 0 ? [waitStep(scope, waitMs)] : [])],
    danger: isPublic ? message('citadel.setup.danger', { context: scope.entry.context }) : undefined,
  };
}

async function chooseProvider(
  scope: ClusterScope,
  setup: SetupOptions,
  options: CallOptions,
): Promise<{ readonly provider: Provider | undefined; readonly source: SetupPreview['providerSource'] }> {
  if (setup.provider !== undefined) return { provider: setup.provider, source: 'option' };
  const written = scope.entry.loadBalancers?.provider;
  if (written !== undefined) return { provider: written, source: 'inventory' };
  const nodes = await scope.api.list({ apiVersion: 'v1', kind: 'Node' }, options).catch((error: unknown) => {
    if (isMeshError(error, 'kube.forbidden')) return [];
    throw error;
  });
  const provider = detectProvider(nodes);
  return { provider, source: provider === undefined ? 'none' : 'detected' };
}

/** Only shown: a cluster whose ranges cannot be read can be set up all the same. */
async function readServiceCidrs({ entry, api }: ClusterScope, options: CallOptions): Promise<ServiceCidrs | undefined> {
  try {
    return await api.serviceCidrs(options);
  } catch (error) {
    if (entry.serviceCidr !== undefined || isMeshError(error, 'kube.service-cidr-unknown') || isMeshError(error, 'kube.forbidden'))
      return undefined;
    throw error;
  }
}

function pristineManifest(scope: ClusterScope, provider: Provider): string {
  const facts = factsOf(scope);
  const chosen = providerFacts(provider);
  return balancerManifest(facts, balancerObjects(facts, scope.entry.istio.namespace, chosen), scope.controlPlane.release, chosen);
}

function edited(scope: ClusterScope, manifest: string, provider: Provider): EditedManifest {
  return parseManifest(manifest, factsOf(scope), scope.entry.istio.namespace, providerFacts(provider));
}

/** What setting up and later joining ask of the account. */
function questions(scope: ClusterScope): readonly Access[] {
  const namespaces = factsOf(scope).balancers.map((balancer) => balancerRef(balancer, scope.entry.istio.namespace).namespace);
  return [...new Set(namespaces)].flatMap((namespace) =>
    ['get', 'create', 'patch'].map((verb) => ({ verb, group: '', resource: 'services', namespace })),
  );
}

/** Waits until every load balancer has an address; says which has none and why. Throws `cluster.balancer-pending` or `cluster.balancer-hostname` at the end. */
function waitStep(scope: ClusterScope, waitMs: number): Step {
  return {
    id: 'addresses',
    title: message('citadel.setup.wait'),
    target: scope.entry.context,
    readOnly: true,
    async preview(options) {
      const pending = (await readBalancers(scope, options)).filter(({ state }) => state !== 'ready');
      return {
        needed: pending.length > 0,
        details: pending.map(({ ref }) => ({
          kind: 'note',
          text: message('citadel.setup.waits-for', { name: refName(ref), field: ADDRESS_FIELD }),
        })),
      };
    },
    async run(options) {
      const { clock } = scope.ports;
      const end = clock.now().getTime() + waitMs;
      for (;;) {
        if (options?.signal?.aborted === true) throw cancelled(options.signal.reason);
        const pending = (await readBalancers(scope, options)).filter(({ state }) => state !== 'ready');
        const [first] = pending;
        if (first === undefined) return;
        if (first.state === 'hostname' || clock.now().getTime() >= end) throw withoutAddress(first, first.role);
        const reason = pending.flatMap(({ events }) => events).map((event) => `${event.reason}: ${event.text}`)[0];
        const names = pending.map(({ ref }) => ref.name).join(', ');
        options?.onProgress?.(
          reason === undefined ? message('citadel.setup.pending', { names }) : message('citadel.setup.pending-event', { names, reason }),
        );
        await clock.sleep(POLL_MS, options?.signal);
      }
    },
  };
}
