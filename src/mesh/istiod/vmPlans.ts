import type { Era, VmScope } from '../era.ts';
import { checkStep } from '../host/checkStep.ts';
import { filesStep } from '../host/files.ts';
import { unitOf } from '../host/hostState.ts';
import { hostPlan } from '../host/hostPlan.ts';
import { hostWork, type HostWork } from '../host/hostWork.ts';
import { choosePackage, namedPackage, packageStep } from '../host/package.ts';
import { assertFit, assertJoined, preflightStep } from '../host/preflight.ts';
import { toolsStep } from '../host/tools.ts';
import { unitsStep } from '../host/units.ts';
import type { GeneratedFile } from '../model.ts';
import type { Step } from '../plan.ts';
import type { CallOptions, HostState, VmHost } from '../ports.ts';
import { dropBrokenPairStep } from './brokenPair.ts';
import { connectedStep, type EntryOf } from './connected.ts';
import { explicitEntryStep } from './explicitEntry.ts';
import { planExposePorts } from './exposePorts.ts';
import { readGroup } from './generate.ts';
import { planLeave } from './leave.ts';
import { assertRegisters, assertSameNetwork, assertServed } from './limits.ts';
import { UNIT } from './paths.ts';
import { hasLivingCertificate, sidecarOf, withReaders } from './sidecar.ts';
import { skewNotes } from './skew.ts';

/** What the plans ask of the rest of the era. */
export interface VmParts {
  readonly entryOf: EntryOf;
  readonly checks: Era['checks'];
}

export type VmPlans = Pick<Era, 'planJoin' | 'planPush' | 'planRenew' | 'planUpgrade' | 'planLeave' | 'planExposePorts'>;

/** Below this part of its life a certificate is evidently not renewed any more: the agent does so at half of it (istiod facts 2.4). */
const NEAR_END = 0.25;

/** The plans on a VM of this era (istiod facts 2). */
export function vmPlans({ entryOf, checks }: VmParts): VmPlans {
  const connected = (work: HostWork): Step => connectedStep(work, entryOf);
  return {
    /** A second join of a joined VM has nothing to do. Throws what stands in the way before anything is changed. */
    async planJoin(scope, host, written, join, options) {
      assertServed(scope);
      assertRegisters(scope);
      assertSameNetwork(scope, (await readGroup(scope, options)).group);
      const { work, state, files } = await begin(scope, host, written, options);
      assertFit(work, state, files);
      const wanted = await choosePackage(work, state, join, options);
      return hostPlan(scope, 'join', [
        preflightStep(work, files),
        toolsStep(work),
        packageStep(work, wanted, skewNotes(state, wanted, scope.controlPlane.release)),
        filesStep(work, files),
        ...(await entrySteps(scope, options)),
        unitsStep(work, files, { start: true }),
        connected(work),
        checkStep(work, checks),
      ]);
    },
    async planPush(scope, host, written, options) {
      const { work, state, files } = await begin(scope, host, written, options);
      assertJoined(work, state, files);
      return hostPlan(scope, 'push', [
        filesStep(work, files),
        ...(await entrySteps(scope, options)),
        unitsStep(work, files, { start: false }),
        connected(work),
      ]);
    },
    /** A fresh token, whatever the machine still has; the sidecar starts again where its own certificate no longer carries it. */
    async planRenew(scope, host, written, options) {
      const { work, state, files } = await begin(scope, host, written, options);
      assertJoined(work, state, files);
      const fresh = files.map(renewed);
      if (!isRenewing(state, scope.ports.clock.now())) work.restarts.add(UNIT);
      return hostPlan(scope, 'renew', [
        dropBrokenPairStep(work),
        filesStep(work, fresh),
        unitsStep(work, files, { start: true }),
        connected(work),
      ]);
    },
    /** dpkg and rpm keep the settings that were changed on the machine. Throws `package.missing` where none is named. */
    async planUpgrade(scope, host, written, join, options) {
      const { work, state, files } = await begin(scope, host, written, options);
      assertJoined(work, state, files);
      const wanted = await namedPackage(work, state, join, options);
      return hostPlan(scope, 'upgrade', [
        packageStep(work, wanted, skewNotes(state, wanted, scope.controlPlane.release)),
        filesStep(work, files),
        unitsStep(work, files, { start: true }),
        connected(work),
        checkStep(work, checks),
      ]);
    },
    planLeave,
    planExposePorts,
  };
}

async function begin(
  scope: VmScope,
  host: VmHost,
  written: readonly GeneratedFile[],
  options?: CallOptions,
): Promise<{ readonly work: HostWork; readonly state: HostState; readonly files: readonly GeneratedFile[] }> {
  const { work, state } = await hostWork(scope, sidecarOf(scope), host, written, options);
  return { work, state, files: withReaders(written, state, scope.ports.clock.now()) };
}

async function entrySteps(scope: VmScope, options?: CallOptions): Promise<readonly Step[]> {
  return scope.vm.autoRegister === false ? [explicitEntryStep(scope, (await readGroup(scope, options)).group)] : [];
}

function renewed(file: GeneratedFile): GeneratedFile {
  return file.content.kind === 'minted' ? { ...file, content: { ...file.content, wanted: true } } : file;
}

function isRenewing(state: HostState, now: Date): boolean {
  return unitOf(state, UNIT)?.active === 'active' && hasLivingCertificate(state, now, NEAR_END);
}
