import type { VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Plan, Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostState, UnitChange, VmHost } from '../ports.ts';
import { commandLine } from '../shellWords.ts';
import { cleanCapture, stopChange } from './capture.ts';
import { unitOf } from './hostState.ts';
import { hostWork, type HostWork } from './hostWork.ts';
import { joinedElsewhere } from './preflight.ts';
import { purge } from './purge.ts';
import type { Sidecar } from './sidecar.ts';
import { changeDetails, isEmpty } from './units.ts';
import { some, wantedStep } from './wantedStep.ts';

/** What an era adds to a leave. */
export interface LeaveExtras {
  /** After the capture rules are gone and before the files come back. */
  readonly afterCapture?: (work: HostWork) => readonly Step[];
  readonly afterOriginals?: (work: HostWork) => readonly Step[];
  /** Before accounts, paths and the manifest go. */
  readonly beforeCreated?: (work: HostWork) => readonly Step[];
  /** At the end, also where nothing is left on the VM. */
  readonly last?: (work: HostWork) => readonly Step[];
}

/**
 * The plan of Leave Mesh: what the join did, backwards, from the manifest on the VM. A VM without one has nothing to leave there.
 * Throws `host.joined-elsewhere` (person) where the manifest is of another cluster.
 */
export async function leavePlan(
  scope: VmScope,
  sidecar: Sidecar,
  host: VmHost,
  extras: LeaveExtras = {},
  options?: CallOptions,
): Promise<Plan> {
  const { work } = await hostWork(scope, sidecar, host, [], options);
  const { manifest } = work;
  if (manifest !== undefined && manifest.owner.cluster !== scope.entry.name) throw joinedElsewhere(scope.vm.host, manifest);
  const onHost = [
    stopStep(work),
    captureStep(work),
    ...(extras.afterCapture?.(work) ?? []),
    originalsStep(work),
    ...(extras.afterOriginals?.(work) ?? []),
    packagesStep(work),
    restartStep(work),
    ...(extras.beforeCreated?.(work) ?? []),
    createdStep(work),
  ];
  return {
    id: 'leave',
    title: message('host.leave.title', { vm: scope.vm.name, cluster: scope.entry.name }),
    context: scope.entry.context,
    hosts: [scope.vm.host],
    steps: [...(manifest === undefined ? [] : onHost), ...(extras.last?.(work) ?? [])],
    danger: message('host.leave.danger', { vm: scope.vm.name, host: scope.vm.host }),
  };
}

function stopStep(work: HostWork): Step {
  const { scope, sidecar, host } = work;
  const registered = scope.inventory.services.filter(({ vms, cluster }) => cluster === scope.entry.name && vms.includes(scope.vm.name));
  const notes: readonly StepDetail[] = registered.map(({ namespace, name }) => ({
    kind: 'note',
    text: message('host.leave.registered', { name: `${namespace}/${name}` }),
  }));
  return wantedStep<UnitChange>(work, {
    id: 'stop',
    title: message('host.leave.stop', { units: sidecar.units.join(', ') }),
    wanted: (state) => unlessEmpty(stopChange(sidecar, state)),
    details: (change) => [...changeDetails(change), ...notes],
    run: (change, options) => host.setUnits(change, options),
  });
}

function captureStep(work: HostWork): Step {
  let done = false;
  return wantedStep(work, {
    id: 'capture',
    title: message('host.leave.capture'),
    wanted: (state) => (done || work.sidecar.cleanCommands(state).length === 0 ? undefined : state),
    details: (state) =>
      work.sidecar.cleanCommands(state).map(({ argv, asRoot }) => ({ kind: 'command', commandLine: commandLine(argv, asRoot) })),
    async run(state, options) {
      await cleanCapture(work, state, options);
      done = true;
    },
  });
}

function originalsStep(work: HostWork): Step {
  return wantedStep(work, {
    id: 'originals',
    title: message('host.leave.originals'),
    wanted: (state) => some(state.manifest?.files ?? []),
    details: (files) => files.map(({ path, original }) => ({ kind: 'file', verb: original === 'absent' ? 'delete' : 'change', path })),
    run: (_, options) => work.host.restoreOriginals(options),
  });
}

function packagesStep(work: HostWork): Step {
  // The sidecar's before the tools' that it depends on.
  const names = (state: HostState): readonly string[] =>
    (state.manifest ?? work.manifest)?.packages
      .filter(({ before }) => before === undefined)
      .map(({ name }) => name)
      .reverse() ?? [];
  return wantedStep(work, {
    id: 'packages',
    title: message('host.leave.packages'),
    wanted: (state) => {
      const wanted = some(names(state));
      return wanted && { names: wanted, remover: state.facts?.os.packages === 'rpm' ? 'rpm -e' : 'dpkg --purge' };
    },
    details: (wanted) => [{ kind: 'command', commandLine: `${wanted.remover} ${wanted.names.join(' ')}` }],
    run: (wanted, options) => purge(work.host, wanted.names, options),
  });
}

/** What stays on the machine runs again as before the join, with its own files. */
function restartStep(work: HostWork): Step {
  let done = false;
  const change = (state: HostState): UnitChange => {
    const there = (work.manifest?.units ?? []).filter(({ name }) => unitOf(state, name)?.load === 'loaded');
    const restart = there.filter(({ activeBefore }) => activeBefore === 'active').map(({ name }) => name);
    const enable = there
      .filter(({ name, enabledBefore }) => enabledBefore === 'enabled' && unitOf(state, name)?.enabled !== 'enabled')
      .map(({ name }) => name);
    return { restart, enable };
  };
  return wantedStep(work, {
    id: 'restart',
    title: message('host.leave.restart'),
    wanted: (state) => (done ? undefined : unlessEmpty(change(state))),
    details: changeDetails,
    async run(wanted, options) {
      await work.host.setUnits(wanted, options);
      done = true;
    },
  });
}

function createdStep(work: HostWork): Step {
  return wantedStep(work, {
    id: 'created',
    title: message('host.leave.created'),
    wanted: (state) => state.manifest,
    details: ({ created }) => created.paths.map((path) => ({ kind: 'file', verb: 'delete', path })),
    run: (_, options) => work.host.removeCreated(options),
  });
}

function unlessEmpty(change: UnitChange): UnitChange | undefined {
  return isEmpty(change) ? undefined : change;
}
