import type { VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Plan, Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostManifest, HostState, ProbeRequest, UnitChange, VmHost } from '../ports.ts';
import { commandLine } from '../shellWords.ts';
import { captureCommands, cleanCapture, cleanerPaths, stopChange } from './capture.ts';
import { DNSMASQ } from './dnsmasq.ts';
import { HostView } from './hostView.ts';
import { unitNames, unitOf } from './hostState.ts';
import { factsOf, problem } from './problems.ts';
import { purge } from './purge.ts';
import { changeDetails } from './units.ts';
import type { ReleaseFacts } from './releases.ts';
import { RESOLVED } from './resolver.ts';

interface Leaving {
  readonly scope: VmScope;
  readonly facts: ReleaseFacts;
  readonly host: VmHost;
  readonly view: HostView;
  /** The manifest as it was when the plan was made: steps take it apart. */
  readonly manifest: HostManifest | undefined;
}

/**
 * The plan of Leave Mesh: what the join did, backwards, from the manifest on the VM. A VM without one has nothing to leave.
 * Throws `citadel.joined-elsewhere` (person) where the manifest is of another cluster.
 */
export async function planLeave(scope: VmScope, host: VmHost, options?: CallOptions): Promise<Plan> {
  const facts = factsOf(scope);
  const view = new HostView(host, leaveProbe(facts));
  const { manifest } = await view.read(options);
  if (manifest !== undefined && manifest.owner.cluster !== scope.entry.name) {
    throw problem(
      'citadel.joined-elsewhere',
      { host: scope.vm.host, vm: manifest.owner.vm, cluster: manifest.owner.cluster },
      { kind: 'person' },
    );
  }
  const leaving: Leaving = { scope, facts, host, view, manifest };
  return {
    id: 'leave',
    title: message('citadel.leave.title', { vm: scope.vm.name, cluster: scope.entry.name }),
    context: scope.entry.context,
    hosts: [scope.vm.host],
    steps:
      manifest === undefined
        ? []
        : [
            stopStep(leaving),
            captureStep(leaving),
            originalsStep(leaving),
            packagesStep(leaving),
            restartStep(leaving),
            createdStep(leaving),
          ],
    danger: message('citadel.leave.danger', { vm: scope.vm.name, host: scope.vm.host }),
  };
}

function leaveProbe(facts: ReleaseFacts): ProbeRequest {
  return {
    manifest: true,
    units: [...unitNames(facts), DNSMASQ, RESOLVED],
    packages: [...facts.packages, DNSMASQ],
    files: cleanerPaths(facts).map((path) => ({ path, want: 'hash' })),
  };
}

function stopStep({ scope, facts, host, view }: Leaving): Step {
  const registered = scope.inventory.services.filter(({ vms, cluster }) => cluster === scope.entry.name && vms.includes(scope.vm.name));
  const notes: readonly StepDetail[] = registered.map(({ namespace, name }) => ({
    kind: 'note',
    text: message('citadel.leave.registered', { name: `${namespace}/${name}` }),
  }));
  return {
    id: 'stop',
    title: message('citadel.leave.stop'),
    target: host.alias,
    async preview(options) {
      const wanted = stopChange(facts, await view.read(options));
      return { needed: (wanted.stop ?? wanted.disable) !== undefined, details: [...changeDetails(wanted), ...notes] };
    },
    async run(options) {
      const wanted = stopChange(facts, await view.read(options));
      await view.change(() => host.setUnits(wanted, options));
    },
  };
}

function captureStep({ facts, host, view }: Leaving): Step {
  let done = false;
  return {
    id: 'capture',
    title: message('citadel.leave.capture'),
    target: host.alias,
    async preview(options) {
      const commands = captureCommands(facts, await view.read(options));
      return {
        needed: !done && commands.length > 0,
        details: commands.map((argv) => ({ kind: 'command', commandLine: commandLine(argv, true) })),
      };
    },
    async run(options) {
      await cleanCapture(host, facts, await view.read(options), options);
      done = true;
    },
  };
}

function originalsStep({ host, view }: Leaving): Step {
  return {
    id: 'originals',
    title: message('citadel.leave.originals'),
    target: host.alias,
    async preview(options) {
      const files = (await view.read(options)).manifest?.files ?? [];
      return {
        needed: files.length > 0,
        details: files.map(({ path, original }) => ({ kind: 'file', verb: original === 'absent' ? 'delete' : 'change', path })),
      };
    },
    async run(options) {
      await view.change(() => host.restoreOriginals(options));
    },
  };
}

function packagesStep({ host, view, manifest }: Leaving): Step {
  // The sidecar's before the tools' that it depends on.
  const names = (state: HostState): readonly string[] =>
    (state.manifest ?? manifest)?.packages
      .filter(({ before }) => before === undefined)
      .map(({ name }) => name)
      .reverse() ?? [];
  return {
    id: 'packages',
    title: message('citadel.leave.packages'),
    target: host.alias,
    async preview(options) {
      const wanted = names(await view.read(options));
      return {
        needed: wanted.length > 0,
        details: wanted.length === 0 ? [] : [{ kind: 'command', commandLine: `dpkg --purge ${wanted.join(' ')}` }],
      };
    },
    async run(options) {
      const wanted = names(await view.read(options));
      await view.change(() => purge(host, wanted, options));
    },
  };
}

/** What stays on the machine runs again as before the join, with its own files. */
function restartStep({ host, view, manifest }: Leaving): Step {
  let done = false;
  const change = (state: HostState): UnitChange => {
    const there = (manifest?.units ?? []).filter(({ name }) => unitOf(state, name)?.load === 'loaded');
    const restart = there.filter(({ activeBefore }) => activeBefore === 'active').map(({ name }) => name);
    const enable = there
      .filter(({ name, enabledBefore }) => enabledBefore === 'enabled' && unitOf(state, name)?.enabled !== 'enabled')
      .map(({ name }) => name);
    return { ...(restart.length > 0 ? { restart } : {}), ...(enable.length > 0 ? { enable } : {}) };
  };
  return {
    id: 'restart',
    title: message('citadel.leave.restart'),
    target: host.alias,
    async preview(options) {
      const wanted = change(await view.read(options));
      return { needed: !done && (wanted.restart ?? wanted.enable) !== undefined, details: changeDetails(wanted) };
    },
    async run(options) {
      const wanted = change(await view.read(options));
      await view.change(() => host.setUnits(wanted, options));
      done = true;
    },
  };
}

function createdStep({ host, view }: Leaving): Step {
  return {
    id: 'created',
    title: message('citadel.leave.created'),
    target: host.alias,
    async preview(options) {
      const { manifest } = await view.read(options);
      const paths = manifest?.created.paths ?? [];
      return { needed: manifest !== undefined, details: paths.map((path) => ({ kind: 'file', verb: 'delete', path })) };
    },
    async run(options) {
      await view.change(() => host.removeCreated(options));
    },
  };
}
