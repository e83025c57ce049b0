import { assertAccess, deniedAccess } from '../cluster/access.ts';
import { objectStep } from '../cluster/objectStep.ts';
import type { ClusterScope } from '../era.ts';
import { cancelled } from '../errors.ts';
import type { SetupOptions, SetupPreview } from '../mesh.ts';
import { message } from '../messages.ts';
import type { Plan, Step } from '../plan.ts';
import type { Access, CallOptions, KubeObject } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { customHostCommands } from './customHost.ts';
import { gatewayObject, readExposure, virtualServiceObject } from './exposeObjects.ts';
import { gatewayCommands } from './gatewayCommands.ts';
import { calledByHostname, gatewayRef, readGateway } from './gatewayAddress.ts';
import { NETWORKING } from './groupObject.ts';
import { assertServed } from './limits.ts';
import { readBalancers } from './loadBalancers.ts';
import { readable } from './meshData.ts';
import { networkingVersion } from './release.ts';
import { readRevision } from './revisions.ts';
import { manifestText, parseManifest } from './setupManifest.ts';

const DEFAULT_WAIT_MS = 600_000;
const POLL_MS = 2_000;

/** What is missing for VMs to reach istiod, as objects, and for what others have to install the commands. Reads only. */
export async function setupPreview(scope: ClusterScope, setup: SetupOptions, options: CallOptions = {}): Promise<SetupPreview> {
  const [{ missing, revision, hasGateway }, denied] = await Promise.all([
    readMissing(scope, options),
    deniedAccess(scope, questions(scope), options),
  ]);
  const commands = [...(hasGateway ? [] : gatewayCommands(scope, revision)), ...customHostCommands(scope, revision)];
  const manifest = setup.manifest ?? manifestText(missing, revision);
  return {
    controlPlane: scope.controlPlane,
    provider: undefined,
    providerSource: 'not-asked',
    manifest,
    objects: setup.manifest === undefined ? missing : parseManifest(manifest, scope.entry),
    serviceCidrs: undefined,
    denied,
    ...(commands.length === 0 ? {} : { commands }),
  };
}

/** The missing objects one by one, then the wait for the gateway's address. Throws before anything is changed: `istiod.limit`, `cluster.access-denied`, `istiod.gateway-missing`, `istiod.manifest`. */
export async function planSetup(scope: ClusterScope, setup: SetupOptions, options: CallOptions = {}): Promise<Plan> {
  assertServed(scope);
  await assertAccess(scope, questions(scope), options);
  const { missing, hasGateway, gateway } = await readMissing(scope, options);
  if (!hasGateway) throw problem('istiod.gateway-missing', { name: gateway });
  const objects = setup.manifest === undefined ? missing : parseManifest(setup.manifest, scope.entry);
  const waitMs = setup.waitMs ?? DEFAULT_WAIT_MS;
  return {
    id: 'setup',
    title: message('istiod.setup.title', { cluster: scope.entry.name, release: scope.controlPlane.release }),
    context: scope.entry.context,
    hosts: [],
    steps: [...objects.map((object) => objectStep(scope, object)), ...(waitMs > 0 ? [waitStep(scope, waitMs)] : [])],
  };
}

interface Missing {
  readonly missing: readonly KubeObject[];
  readonly revision: string;
  readonly hasGateway: boolean;
  readonly gateway: string;
}

async function readMissing(scope: ClusterScope, options: CallOptions): Promise<Missing> {
  const { entry, api, controlPlane } = scope;
  const apiVersion = networkingVersion(controlPlane.release);
  const { value: revision } = await readRevision(entry, api, options);
  const hostname = calledByHostname(entry, controlPlane);
  // What may not be read is taken for missing: the preview says so among what is denied, and a plan is refused.
  const [found, exposure] = await Promise.all([
    readable(readGateway(scope, options)),
    readable(readExposure({ entry, api, apiVersion, revision, hostname }, options)),
  ]);
  const through = exposure?.gateway?.metadata.name;
  return {
    missing: [
      ...(exposure?.gateway === undefined ? [gatewayObject(entry, apiVersion, found?.service)] : []),
      ...(exposure?.virtualService === undefined
        ? [virtualServiceObject(entry, apiVersion, revision, { gateway: through, hostname })]
        : []),
    ],
    revision,
    // With an address in the inventory, the way to istiod may be none of Kubernetes'.
    hasGateway: found === undefined || found.service !== undefined || entry.ingress?.address !== undefined,
    gateway: refName(gatewayRef(entry)),
  };
}

function questions({ entry }: ClusterScope): readonly Access[] {
  const { namespace } = entry.istio;
  const of = (group: string, resource: string, verbs: readonly string[]): readonly Access[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace }));
  return [
    ...of('', 'services', ['get']),
    ...of(NETWORKING, 'gateways', ['list', 'create', 'patch']),
    ...of(NETWORKING, 'virtualservices', ['list', 'create', 'patch']),
  ];
}

function waitStep(scope: ClusterScope, waitMs: number): Step {
  return {
    id: 'addresses',
    title: message('istiod.setup.wait'),
    target: scope.entry.context,
    readOnly: true,
    async preview(options) {
      const { ref, place } = await readGateway(scope, options);
      return {
        needed: place === undefined,
        details: place === undefined ? [{ kind: 'note', text: message('istiod.setup.waits-for', { name: refName(ref) }) }] : [],
      };
    },
    async run(options) {
      const { clock } = scope.ports;
      const end = clock.now().getTime() + waitMs;
      for (;;) {
        if (options?.signal?.aborted === true) throw cancelled(options.signal.reason);
        const { ref, place } = await readGateway(scope, options);
        if (place !== undefined) return;
        const name = refName(ref);
        if (clock.now().getTime() >= end) throw problem('istiod.gateway-pending', { name });
        const [event] = (await readBalancers(scope, options)).flatMap(({ events }) => events);
        options?.onProgress?.(
          event === undefined
            ? message('istiod.setup.pending', { name })
            : message('istiod.setup.pending-event', { name, reason: event.reason, text: event.text }),
        );
        await clock.sleep(POLL_MS, options?.signal);
      }
    },
  };
}
