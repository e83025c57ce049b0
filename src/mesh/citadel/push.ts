import type { VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Plan, Step } from '../plan.ts';
import type { CallOptions, HostState, VmHost } from '../ports.ts';
import { hostWork, tidy, type HostWork } from './joinContext.ts';
import { assertFit } from './preflight.ts';
import { problem } from './problems.ts';
import { pushFile, targets, type Target } from './pushFiles.ts';
import { namesStep, unitsStep } from './units.ts';

/** Pushing a VM's files: one atomic push, then restarts of what reads the changed ones. */
export async function planPush(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<Plan> {
  const work = await hostWork(scope, host, files, options);
  const state = await work.view.read(options);
  if (state.manifest === undefined) throw problem('citadel.not-joined', { vm: scope.vm.name });
  assertFit(work, state, files);
  return {
    id: 'push',
    title: message('citadel.push.title', { vm: scope.vm.name, cluster: scope.entry.name }),
    context: scope.entry.context,
    hosts: [scope.vm.host],
    steps: [filesStep(work, files), namesStep(work, files), unitsStep(work, files, { start: false })],
  };
}

export function filesStep(work: HostWork, files: readonly GeneratedFile[]): Step {
  let hadManifest = true;
  let changed: readonly string[] = [];
  return {
    id: 'files',
    title: message('citadel.files.title'),
    target: work.host.alias,
    async preview(options) {
      const state = await work.view.read(options);
      const all = targets(work, files, state);
      const dropped = droppedPaths(all, state);
      return {
        needed: needsPush(all, dropped, state),
        details: [
          ...all.map(
            ({ file, drift }) =>
              ({
                kind: 'file',
                verb: drift === 'missing' ? 'create' : drift === 'same' ? 'keep' : 'change',
                path: file.path,
                mode: file.mode,
              }) as const,
          ),
          ...dropped.map((path) => ({ kind: 'file', verb: 'delete', path }) as const),
        ],
      };
    },
    async run(options) {
      const state = await work.view.read(options);
      const all = targets(work, files, state);
      const drop = droppedPaths(all, state);
      hadManifest = (state.manifest?.generation ?? 0) > 0;
      const pushed = all.filter(({ file, drift }) => !(drift === 'same' && file.accepts !== undefined));
      const result = await work.view.change(() =>
        work.host.push({ owner: work.owner, files: pushed.map(pushFile), ...(drop.length > 0 ? { drop } : {}) }, options),
      );
      changed = result.changed;
      noteReaders(work, files, all, changed);
    },
    async undo(options) {
      await work.view.change(() => (hadManifest ? work.host.rollback(options) : work.host.restoreOriginals(options)));
      noteReaders(work, files, [], changed);
      await restartReaders(work, options);
      await tidy(work, options);
    },
  };
}

function needsPush(all: readonly Target[], dropped: readonly string[], state: HostState): boolean {
  return state.manifest === undefined || dropped.length > 0 || all.some(({ drift }) => drift !== 'same');
}

/** Files of an earlier push that this machine no longer needs, e.g. of another resolver. */
function droppedPaths(all: readonly Target[], state: HostState): readonly string[] {
  return (state.manifest?.files ?? []).map(({ path }) => path).filter((path) => !all.some(({ file }) => file.path === path));
}

function noteReaders(work: HostWork, files: readonly GeneratedFile[], all: readonly Target[], changed: readonly string[]): void {
  const known = [...files, ...all.map(({ file }) => file)];
  for (const path of changed) for (const unit of known.find((file) => file.path === path)?.readBy ?? []) work.restarts.add(unit);
}

/** After files were taken back: the units that read them and run read them again. */
async function restartReaders(work: HostWork, options?: CallOptions): Promise<void> {
  const state = await work.view.read(options);
  const restart = state.units
    .filter((unit) => work.restarts.has(unit.name) && unit.load === 'loaded' && unit.active === 'active')
    .map(({ name }) => name);
  work.restarts.clear();
  if (restart.length > 0) await work.view.change(() => work.host.setUnits({ restart }, { ...options, owner: work.owner }));
}
