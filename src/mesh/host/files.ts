import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostState } from '../ports.ts';
import { tidy, type HostWork } from './hostWork.ts';
import { droppedPaths, isPushed, pushFile, targets, type Target } from './targets.ts';

/** One atomic push of a VM's files. */
export function filesStep(work: HostWork, files: readonly GeneratedFile[]): Step {
  let hadManifest = true;
  let changed: readonly string[] = [];
  return {
    id: 'files',
    title: message('host.files.title'),
    target: work.host.alias,
    async preview(options) {
      const state = await work.view.read(options);
      const all = targets(work, files, state);
      const dropped = droppedPaths(all, state);
      return {
        needed: needsPush(all, dropped, state),
        details: [...all.map(fileDetail), ...dropped.map((path) => ({ kind: 'file', verb: 'delete', path }) as const)],
      };
    },
    async run(options) {
      const state = await work.view.read(options);
      const all = targets(work, files, state);
      const drop = droppedPaths(all, state);
      hadManifest = (state.manifest?.generation ?? 0) > 0;
      const sent = await Promise.all(all.filter(isPushed).map((target) => pushFile(target, options)));
      const result = await work.view.change(() =>
        work.host.push(
          { owner: work.owner, directories: work.sidecar.directories, files: sent, ...(drop.length > 0 ? { drop } : {}) },
          options,
        ),
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

function fileDetail({ file: { path, mode }, drift }: Target): StepDetail {
  return { kind: 'file', verb: drift === 'missing' ? 'create' : drift === 'same' ? 'keep' : 'change', path, mode };
}

function needsPush(all: readonly Target[], dropped: readonly string[], state: HostState): boolean {
  return state.manifest === undefined || dropped.length > 0 || all.some(({ drift }) => drift !== 'same');
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
