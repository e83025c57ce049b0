import type { VmScope } from '../era.ts';
import type { JoinOptions } from '../mesh.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Plan } from '../plan.ts';
import type { CallOptions, VmHost } from '../ports.ts';
import { checkStep } from './checkStep.ts';
import { choosePackage, packageStep, toolsStep } from './install.ts';
import { hostWork } from './joinContext.ts';
import { assertFit, preflightStep } from './preflight.ts';
import { filesStep } from './push.ts';
import { namesStep, unitsStep } from './units.ts';

/**
 * The plan of Join VM (citadel facts 2, without the scripts' defects). Looks at the VM once and throws what stands in the way before anything is changed;
 * the package comes before the files, because it makes their owner. A second join of a joined VM has nothing to do.
 */
export async function planJoin(
  scope: VmScope,
  host: VmHost,
  files: readonly GeneratedFile[],
  join: JoinOptions,
  options?: CallOptions,
): Promise<Plan> {
  const work = await hostWork(scope, host, files, options);
  const state = await work.view.read(options);
  assertFit(work, state, files);
  const wanted = await choosePackage(work, state, join, options);
  return {
    id: 'join',
    title: message('citadel.join.title', { vm: scope.vm.name, cluster: scope.entry.name, release: scope.controlPlane.release }),
    context: scope.entry.context,
    hosts: [scope.vm.host],
    steps: [
      preflightStep(work, files),
      toolsStep(work),
      packageStep(work, wanted),
      filesStep(work, files),
      namesStep(work, files),
      unitsStep(work, files, { start: true }),
      checkStep(work),
    ],
  };
}
