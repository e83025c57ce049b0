import { applyEdits, editConflict } from './edits.ts';
import type { ClusterScope, Era, VmScope } from './era.ts';
import { eras, pinned } from './eras.ts';
import { chosenChecks, runChecks } from './checkRunner.ts';
import { MeshError } from './errors.ts';
import { findCluster, findService, findVm } from './lookup.ts';
import type { Generated, Mesh, MeshPorts } from './mesh.ts';
import type { ClusterEntry, Finding, GeneratedFile, Inventory, ServiceEntry } from './model.ts';
import { message } from './messages.ts';
import { oneReading } from './oneReading.ts';
import { OpenParts } from './openParts.ts';
import { overviewAfter } from './overviewAfter.ts';
import type { CallOptions, ProbeRequest, VmHost } from './ports.ts';
import { rollbackPlan } from './rollback.ts';
import { statusOf } from './status.ts';
import { unmanagedVms } from './unmanaged.ts';

interface ClusterWork {
  readonly era: Era;
  readonly scope: ClusterScope;
}

interface VmWork {
  readonly era: Era;
  readonly scope: VmScope;
}

/** What a generate gives with the era that made it, for the plans. */
interface Made extends VmWork {
  readonly generated: Generated;
  /** What there is to say of saved edits; the rest of the findings is the era's. */
  readonly ofEdits: readonly Finding[];
}

/**
 * The core over the given ports. `inventory` is asked anew by every call, so that an edited file counts at once. `served`: the eras, for tests.
 * Connections, detected releases and asked addresses are kept until `close`.
 */
export function createMesh(ports: MeshPorts, inventory: () => Inventory, served: readonly Era[] = eras): Mesh {
  const parts = new OpenParts(ports, served);

  const clusterWork = async (entry: ClusterEntry, options?: CallOptions): Promise<ClusterWork> => {
    const api = await parts.cluster(entry, options);
    const { era, controlPlane } = await parts.era(entry, options);
    return { era, scope: { entry, api, controlPlane, inventory: inventory(), ports } };
  };
  const onCluster = (name: string, options?: CallOptions): Promise<ClusterWork> => clusterWork(findCluster(inventory(), name), options);

  const onVm = async (name: string, options?: CallOptions & { readonly offline?: boolean }): Promise<VmWork> => {
    const vm = findVm(inventory(), name);
    const { era, scope } = await clusterWork(findCluster(inventory(), vm.cluster), options);
    if (options?.offline === true) return { era, scope: { ...scope, vm, address: vm.address } };
    const host = await parts.host(vm, options);
    const state = await host.probe({ ...era.hostInputs(scope, vm), facts: true }, options);
    const resolve: VmScope['resolve'] = async (one, more) => (await host.probe({ resolve: [one] }, more)).resolved?.[one] ?? [];
    return { era, scope: { ...scope, vm, address: parts.addressIn(vm, state.facts), state, resolve } };
  };

  const make = async (name: string, options?: CallOptions & { readonly offline?: boolean }): Promise<Made> => {
    const { era, scope } = await onVm(name, options);
    const written = await era.generate(scope, options);
    const { files, edited, conflicts, findings } = await applyEdits(name, written, ports.edits);
    const generated: Generated = {
      vm: name,
      controlPlane: scope.controlPlane,
      files,
      pristine: new Map(written.map((file): [string, GeneratedFile] => [file.path, file])),
      edited,
      conflicts,
      findings: [...findings, ...era.lint(scope, files)],
      readAt: ports.clock.now().toISOString(),
    };
    return { era, scope, generated, ofEdits: findings };
  };

  /** The files as they may be pushed, and the VM. Stops at conflicts of saved edits before the VM is asked anything. */
  const ready = async (name: string, options?: CallOptions): Promise<Made & { readonly host: VmHost }> => {
    const made = await make(name, options);
    if (made.generated.conflicts.length > 0) throw editConflict(name, made.generated.conflicts);
    return { ...made, host: await parts.host(made.scope.vm, options) };
  };

  const addressesOf = async (names: readonly string[], options?: CallOptions): Promise<ReadonlyMap<string, string>> =>
    new Map(
      await Promise.all(
        names.map(async (name): Promise<[string, string]> => [name, await parts.address(findVm(inventory(), name), options)]),
      ),
    );

  const onService = async (reference: string, options?: CallOptions): Promise<ClusterWork & { readonly service: ServiceEntry }> => {
    const service = findService(inventory(), reference);
    return { ...(await onCluster(service.cluster, options)), service };
  };

  return {
    ports,
    inventory,
    controlPlane: async (cluster, options) => (await parts.era(findCluster(inventory(), cluster), options)).controlPlane,
    overview: async (cluster, { fresh, onListed, ...options } = {}) => {
      const entry = findCluster(inventory(), cluster);
      const api = oneReading(await parts.cluster(entry, options), onListed);
      // What looks for the control plane lists some of the same.
      const { era, controlPlane } = await parts.era(entry, { ...options, fresh, through: api });
      const scope: ClusterScope = { entry, api, controlPlane, inventory: inventory(), ports };
      const [loadBalancers, services, workloadGroups] = await Promise.all([
        era.loadBalancers(scope, options),
        era.services(scope, options),
        era.groups?.read(scope, options),
      ]);
      const unmanaged = unmanagedVms(cluster, scope.inventory, services, (vm) => parts.knownAddress(vm));
      const overview = { controlPlane: scope.controlPlane, loadBalancers, services, unmanaged };
      return workloadGroups === undefined ? overview : { ...overview, workloadGroups };
    },
    overviewAfter: async (cluster, before, changed, options) => {
      const entry = findCluster(inventory(), cluster);
      const { controlPlane } = before;
      const era = served.find(({ id }) => id === controlPlane.era) ?? (await parts.era(entry, options)).era;
      const scope: ClusterScope = { entry, api: await parts.cluster(entry, options), controlPlane, inventory: inventory(), ports };
      return overviewAfter(era, scope, before, changed, { addressOf: (vm) => parts.knownAddress(vm), options });
    },
    loadBalancers: async (cluster, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return era.loadBalancers(scope, options);
    },
    services: async (cluster, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return era.services(scope, options);
    },
    unmanaged: async (cluster, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return unmanagedVms(cluster, inventory(), await era.services(scope, options), (vm) => parts.knownAddress(vm));
    },
    workloadGroups: async (cluster, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return era.groups?.read(scope, options);
    },
    planWorkloadGroup: async (cluster, group, options) => {
      const { era, scope } = await onCluster(cluster, options);
      if (era.groups === undefined) throw withoutGroups(cluster, scope.controlPlane.release);
      return era.groups.plan(scope, group, options);
    },
    watched: async (cluster, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return era.watched(scope, options);
    },
    setupPreview: async (cluster, setup = {}, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return era.setupPreview(scope, setup, options);
    },
    planSetup: async (cluster, setup = {}, options) => {
      const { era, scope } = await onCluster(cluster, options);
      return era.planSetup(scope, setup, options);
    },
    generate: async (vm, options) => (await make(vm, options)).generated,
    vmStatus: async (vm, options) => {
      const { era, scope, generated, ofEdits } = await make(vm, options);
      const host = await parts.host(scope.vm, options);
      const [state, entry] = await Promise.all([
        host.probe(statusProbe(era.probe(scope, generated.files), generated.files), options),
        era.groups?.entryOf(scope, options),
      ]);
      return statusOf(
        scope.vm,
        { ...generated, findings: [...ofEdits, ...era.lint(scope, generated.files, state)] },
        { state, entry },
        ports.clock.now(),
      );
    },
    planJoin: async (vm, join = {}, options) => {
      const { era, scope, generated, host } = await ready(vm, options);
      return era.planJoin(scope, host, generated.files, join, options);
    },
    planRenew: async (vm, options) => {
      const { era, scope, generated, host } = await ready(vm, options);
      return era.planRenew(scope, host, generated.files, options);
    },
    planUpgrade: async (vm, join, options) => {
      const { era, scope, generated, host } = await ready(vm, options);
      return era.planUpgrade(scope, host, generated.files, join, options);
    },
    planPush: async (vm, options) => {
      const { era, scope, generated, host } = await ready(vm, options);
      return era.planPush(scope, host, generated.files, options);
    },
    planLeave: async (name, options) => {
      const vm = findVm(inventory(), name);
      const entry = findCluster(inventory(), vm.cluster);
      const host = await parts.host(vm, options);
      const { manifest } = await host.probe({ manifest: true }, options);
      // A VM leaves what it was joined to, also when the cluster no longer answers or has been upgraded since.
      const { era, controlPlane } =
        manifest === undefined ? await parts.era(entry, options) : pinned(entry, manifest.owner.release, served);
      const scope: VmScope = {
        entry,
        api: await parts.cluster(entry, options),
        controlPlane,
        inventory: inventory(),
        ports,
        vm,
        address: parts.knownAddress(vm),
      };
      return era.planLeave(scope, host, options);
    },
    planRollback: async (name, options) => {
      const vm = findVm(inventory(), name);
      return rollbackPlan(vm, await parts.host(vm, options));
    },
    planExposePorts: async (vm, exposed, options) => {
      const { era, scope } = await onVm(vm, options);
      return era.planExposePorts(scope, await parts.host(scope.vm, options), exposed, options);
    },
    planRegister: async (reference, options) => {
      const { era, scope, service } = await onService(reference, options);
      return era.planRegister(scope, service, await addressesOf(service.vms, options), options);
    },
    planDeregister: async (reference, options) => {
      const { era, scope, service } = await onService(reference, options);
      return era.planDeregister(scope, service, await addressesOf(options?.vms ?? service.vms, options), options);
    },
    check: async (name, events = {}, options) => {
      const { era, scope } = await onVm(name, options);
      const host = await parts.host(scope.vm, options);
      return runChecks(chosenChecks(await era.checks(scope, options), options?.only), host, events, options);
    },
    host: (name, options) => parts.host(findVm(inventory(), name), options),
    close: () => parts.close(),
  };
}

/** What may be asked of a file, by what it holds. */
const wants = { text: 'hash', secret: 'certificate', minted: 'token' } as const;

function withoutGroups(cluster: string, release: string): MeshError {
  return new MeshError({
    code: 'era.no-groups',
    kind: 'bad-input',
    userMessage: message('era.no-groups', { cluster, release }),
    nextStep: message('era.no-groups.next'),
  });
}

/** The era's questions, and every generated file and the manifest among them. */
function statusProbe(request: ProbeRequest, files: readonly GeneratedFile[]): ProbeRequest {
  const asked = request.files ?? [];
  const missing = files.filter((file) => !asked.some(({ path }) => path === file.path));
  return {
    ...request,
    manifest: true,
    files: [...asked, ...missing.map(({ path, content }) => ({ path, want: wants[content.kind] }))],
  };
}
