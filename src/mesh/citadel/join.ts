import type { Era, VmScope } from '../era.ts';
import { checkStep } from '../host/checkStep.ts';
import { filesStep } from '../host/files.ts';
import { hostPlan } from '../host/hostPlan.ts';
import { hostWork, type HostWork } from '../host/hostWork.ts';
import { choosePackage, namedPackage, packageStep } from '../host/package.ts';
import { assertFit, assertJoined, preflightStep } from '../host/preflight.ts';
import { toolsStep } from '../host/tools.ts';
import { changeStep, unitChange, unitsStep } from '../host/units.ts';
import type { JoinOptions } from '../mesh.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Plan, Step } from '../plan.ts';
import type { CallOptions, PackageFile, VmHost } from '../ports.ts';
import { checks } from './checks.ts';
import { nameUnits, sidecarOf } from './sidecar.ts';

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
  const { work, state } = await hostWork(scope, sidecarOf(scope), host, files, options);
  assertFit(work, state, files);
  const wanted = await choosePackage(work, state, join, options);
  return hostPlan(scope, 'join', [preflightStep(work, files), toolsStep(work), ...packageAndAfter(work, wanted, files)]);
}

/** Pushing a VM's files: one atomic push, then restarts of what reads the changed ones. */
export async function planPush(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<Plan> {
  return hostPlan(scope, 'push', await pushSteps(scope, host, files, options));
}

/** Fresh credentials: what the Secret of the service account has now is generated already; a push brings it and restarts what reads it (citadel facts 6). */
export async function planRenew(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<Plan> {
  return hostPlan(scope, 'renew', await pushSteps(scope, host, files, options));
}

async function pushSteps(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<readonly Step[]> {
  const { work, state } = await hostWork(scope, sidecarOf(scope), host, files, options);
  assertJoined(work, state, files);
  return [filesStep(work, files), namesStep(work, files), unitsStep(work, files, { start: false })];
}

/** Another package on a joined VM; dpkg keeps the files that were changed there. Throws what `namedPackage` throws. */
export const planUpgrade: Era['planUpgrade'] = async (scope, host, files, join, options) => {
  const { work, state } = await hostWork(scope, sidecarOf(scope), host, files, options);
  assertJoined(work, state, files);
  return hostPlan(scope, 'upgrade', packageAndAfter(work, await namedPackage(work, state, join, options), files));
};

function packageAndAfter(work: HostWork, wanted: PackageFile | undefined, files: readonly GeneratedFile[]): readonly Step[] {
  return [
    packageStep(work, wanted),
    filesStep(work, files),
    namesStep(work, files),
    unitsStep(work, files, { start: true }),
    checkStep(work, checks),
  ];
}

/** Milliseconds; a name server that cannot start says so at once. */
const NAMES_SETTLE_MS = 500;

function namesStep(work: HostWork, files: readonly GeneratedFile[]): Step {
  return changeStep(work, {
    id: 'names',
    title: message('citadel.names.title'),
    change: (state) => ({ ...unitChange(work, state, files, nameUnits(state), true), settleMs: NAMES_SETTLE_MS }),
  });
}
