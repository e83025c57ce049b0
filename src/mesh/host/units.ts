import { isMeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostManifest, HostState, UnitChange, UnitState } from '../ports.ts';
import { problem } from '../problem.ts';
import { cleanCapture } from './capture.ts';
import { unitOf } from './hostState.ts';
import type { HostWork } from './hostWork.ts';
import { lastLine } from './journal.ts';
import { targets } from './targets.ts';

/** Starting and restarting what reads the files: only what read something that changed, or does not run. */

/** systemd tells seconds: a file written in the second of the start was there before it. */
const CLOCK_GRAIN_MS = 1000;

/** The sidecar's units: enabled (neither scripts nor packages do that), started or restarted, watched until they stay up. */
export function unitsStep(work: HostWork, files: readonly GeneratedFile[], { start }: { readonly start: boolean }): Step {
  return changeStep(work, {
    id: 'units',
    title: message('host.units.title', { units: work.sidecar.units.join(', ') }),
    change: (state) => unitChange(work, state, files, work.sidecar.units, start),
  });
}

export interface UnitStep {
  readonly id: string;
  readonly title: Step['title'];
  readonly change: (state: HostState) => UnitChange;
}

export function changeStep(work: HostWork, { id, title, change }: UnitStep): Step {
  let before: readonly UnitState[] = [];
  let done: UnitChange = {};
  return {
    id,
    title,
    target: work.host.alias,
    async preview(options) {
      const wanted = change(await work.view.read(options));
      return { needed: !isEmpty(wanted), details: changeDetails(wanted) };
    },
    async run(options) {
      const state = await work.view.read(options);
      before = state.units;
      done = change(state);
      await setUnits(work, done, options);
    },
    async undo(options) {
      const touched = before.filter(({ name }) => touches(done, name));
      await work.view.change(() => work.host.setUnits(backTo(touched), { ...options, owner: work.owner }));
      const { capturing } = work.sidecar;
      if (touches(done, capturing) && touched.some(({ name, active }) => name === capturing && active !== 'active'))
        await cleanCapture(work, await work.view.read(options), options);
    },
  };
}

/** What must happen to the units; `start`: also those that do not run and are not enabled. */
export function unitChange(
  work: HostWork,
  state: HostState,
  files: readonly GeneratedFile[],
  names: readonly string[],
  start: boolean,
): UnitChange {
  const willChange = new Set(
    targets(work, files, state)
      .filter(({ drift }) => drift !== 'same')
      .flatMap(({ file }) => file.readBy),
  );
  const enable: string[] = [];
  const starts: string[] = [];
  const restart: string[] = [];
  for (const name of names) {
    const unit = unitOf(state, name);
    const runs = unit?.active === 'active' || unit?.active === 'activating' || unit?.active === 'reloading';
    if (start && unit?.enabled !== 'enabled') enable.push(name);
    if (!runs) {
      if (start || unit?.active === 'failed') starts.push(name);
    } else if (unit.active === 'activating') restart.push(name);
    else if (work.restarts.has(name) || willChange.has(name) || isStale(unit, state.manifest, files)) restart.push(name);
  }
  return {
    ...(enable.length > 0 ? { enable } : {}),
    ...(starts.length > 0 ? { start: starts } : {}),
    ...(restart.length > 0 ? { restart } : {}),
  };
}

/** A file that the unit reads was pushed after it was started: an earlier run broke off between the two. */
function isStale(unit: UnitState, manifest: HostManifest | undefined, files: readonly GeneratedFile[]): boolean {
  const since = Date.parse(unit.since ?? '');
  const read = new Set(files.filter(({ readBy }) => readBy.includes(unit.name)).map(({ path }) => path));
  return (manifest?.files ?? []).some(({ path, time }) => read.has(path) && Date.parse(time) - since > CLOCK_GRAIN_MS);
}

/** Runs the change and explains a unit that does not stay up. Throws `host.unit-failed`. */
export async function setUnits(work: HostWork, change: UnitChange, options?: CallOptions): Promise<void> {
  try {
    const states = await work.view.change(() => work.host.setUnits(change, { ...options, owner: work.owner }));
    const down = states.find(({ name, active }) => touches(change, name) && active !== 'active');
    if (down !== undefined) throw await unitFailure(work, down, undefined, options);
  } catch (error) {
    if (!isMeshError(error, 'host.unit')) throw error;
    const { units } = await work.host.probe({ units: [...(change.start ?? []), ...(change.restart ?? [])] }, options);
    const down = units.find(({ active }) => active !== 'active') ?? units.find(({ restarts }) => restarts > 0);
    throw down === undefined ? error : await unitFailure(work, down, error, options);
  }
  for (const name of [...(change.start ?? []), ...(change.restart ?? [])]) work.restarts.delete(name);
}

async function unitFailure(work: HostWork, unit: UnitState, cause: unknown, options?: CallOptions): Promise<Error> {
  const { log, why } = await work.sidecar.unitTrouble(work.host, unit, options);
  const args = { unit: unit.name, state: `${unit.active} (${unit.sub})`, log: lastLine(log), host: work.host.alias };
  return problem('host.unit-failed', { ...args, ...why?.args }, { cause, ...(why === undefined ? {} : { id: why.id, next: why.next }) });
}

function touches(change: UnitChange, name: string): boolean {
  return [...(change.start ?? []), ...(change.restart ?? [])].includes(name.replace(/\.service$/, ''));
}

export function isEmpty(change: UnitChange): boolean {
  return [change.enable, change.disable, change.start, change.restart, change.stop].every((names) => (names ?? []).length === 0);
}

export function changeDetails(change: UnitChange): readonly StepDetail[] {
  return (['enable', 'disable', 'start', 'restart', 'stop'] as const).flatMap((verb) => {
    const names = change[verb] ?? [];
    return names.length === 0 ? [] : [{ kind: 'command', commandLine: `systemctl ${verb} ${names.join(' ')}` } as const];
  });
}

/** The change that brings units back to how they were. */
export function backTo(before: readonly Pick<UnitState, 'name' | 'active' | 'enabled'>[]): UnitChange {
  const names = (which: (unit: Pick<UnitState, 'name' | 'active' | 'enabled'>) => boolean): readonly string[] =>
    before.filter(which).map(({ name }) => name);
  const ran = ({ active }: { readonly active: string }): boolean => active === 'active' || active === 'activating';
  return { restart: names(ran), stop: names((unit) => !ran(unit)), disable: names(({ enabled }) => enabled === 'disabled') };
}
