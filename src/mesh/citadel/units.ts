import { isMeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostManifest, HostState, UnitChange, UnitState } from '../ports.ts';
import { cleanCapture } from './capture.ts';
import { DNSMASQ } from './dnsmasq.ts';
import { unitNames, unitOf } from './hostState.ts';
import { type HostWork } from './joinContext.ts';
import { explainLog, logCommand } from './nodeAgentLog.ts';
import { problem } from './problems.ts';
import { targets } from './pushFiles.ts';
import { RESOLVED } from './resolver.ts';

/** Starting and restarting what reads the files: only what read something that changed, or does not run. */

/** systemd tells seconds: a file written in the second of the start was there before it. */
const CLOCK_GRAIN_MS = 1000;

/** Milliseconds; a name server that cannot start says so at once. */
const NAMES_SETTLE_MS = 500;

export function namesStep(work: HostWork, files: readonly GeneratedFile[]): Step {
  return changeStep(work, {
    id: 'names',
    title: message('citadel.names.title'),
    change: (state) => ({
      ...unitChange(work, state, files, [DNSMASQ, ...(unitOf(state, RESOLVED)?.active === 'active' ? [RESOLVED] : [])], true),
      settleMs: NAMES_SETTLE_MS,
    }),
  });
}

/** The sidecar and the node agent: enabled (no release's scripts do that: citadel facts 2), started or restarted, watched until they stay up. */
export function unitsStep(work: HostWork, files: readonly GeneratedFile[], { start }: { readonly start: boolean }): Step {
  return changeStep(work, {
    id: 'units',
    title: message('citadel.units.title'),
    change: (state) => unitChange(work, state, files, unitNames(work.facts), start),
  });
}

interface UnitStep {
  readonly id: string;
  readonly title: Step['title'];
  readonly change: (state: HostState) => UnitChange;
}

function changeStep(work: HostWork, { id, title, change }: UnitStep): Step {
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
      const { sidecar } = work.facts.units;
      if (touches(done, sidecar) && touched.some(({ name, active }) => name === sidecar && active !== 'active'))
        await cleanCapture(work.host, work.facts, await work.view.read(options), options);
    },
  };
}

/** What must happen to the units; `start`: also those that do not run and are not enabled. */
function unitChange(
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

/** Runs the change and explains a unit that does not stay up (citadel facts 10). Throws `citadel.unit-failed`. */
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
  const isNodeAgent = unit.name.replace(/\.service$/, '') === work.facts.units.nodeAgent;
  const log = isNodeAgent || unit.log === undefined ? (await work.host.run(logCommand(unit.name, 20), options)).stdout : unit.log;
  const why = isNodeAgent ? explainLog(log) : undefined;
  const args = { unit: unit.name, state: `${unit.active} (${unit.sub})`, log: lastLine(log), host: work.host.alias };
  return problem('citadel.unit-failed', args, { cause, ...(why === undefined ? {} : { id: why.id, next: why.nextStep }) });
}

/** What systemd and PAM say around every start and end; the reason is the line before. */
const noise =
  /^pam_|^\(to \S+\) \S+ on |^Start(ed|ing) |^Stopp(ed|ing) |\.service: (Main process exited|Failed with result|Scheduled restart|Deactivated|Control process|Consumed)/;

export function lastLine(log: string): string {
  const lines = log
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !noise.test(line)) ?? lines.at(-1) ?? '';
}

function touches(change: UnitChange, name: string): boolean {
  return [...(change.start ?? []), ...(change.restart ?? [])].includes(name.replace(/\.service$/, ''));
}

function isEmpty(change: UnitChange): boolean {
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
