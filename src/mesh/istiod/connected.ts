import type { VmScope } from '../era.ts';
import { cancelled } from '../errors.ts';
import { unitOf } from '../host/hostState.ts';
import type { HostWork } from '../host/hostWork.ts';
import { message } from '../messages.ts';
import type { WorkloadEntry } from '../model.ts';
import type { Step } from '../plan.ts';
import type { CallOptions } from '../ports.ts';
import { problem } from '../problem.ts';
import { explainLog, logCommand } from './agentLog.ts';
import { isProbed } from './explicitEntry.ts';
import { readGroup } from './generate.ts';
import type { LiveGroup } from './groupObject.ts';
import { UNIT } from './paths.ts';

/** How the cluster sees a VM. */
export type EntryOf = (scope: VmScope, options?: CallOptions) => Promise<WorkloadEntry>;

/** Connected takes a second and healthy eight (recipes, istiod); a machine that backs off from a refusal tries again within 20 s. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/**
 * Waits until the cluster sees the VM connected, and healthy where its group has a probe (istiod facts 3.4). Throws, at the end of its patience,
 * `istiod.unhealthy` with what the probe said, or `istiod.not-connected` with what the agent's log says (both kind check).
 */
export function connectedStep(work: HostWork, entryOf: EntryOf): Step {
  const { scope } = work;
  return {
    id: 'connected',
    title: message('istiod.connected.title', { vm: scope.vm.name }),
    target: scope.entry.context,
    readOnly: true,
    async preview(options) {
      return { needed: !(await isIn(work, entryOf, options)).in || work.restarts.size > 0, details: [] };
    },
    async run(options) {
      const { clock } = scope.ports;
      const end = clock.now().getTime() + PATIENCE_MS + firstProbeMs(await readGroup(scope, options));
      // An entry may still show the connection that a restart has just ended: it must be seen twice.
      for (let seen = 0; ;) {
        if (options?.signal?.aborted === true) throw cancelled(options.signal.reason);
        const now = await isIn(work, entryOf, options);
        seen = now.in ? seen + 1 : 0;
        if (seen > 1) return;
        if (!now.in) options?.onProgress?.(message(`istiod.membership.${now.entry.membership}`, { vm: scope.vm.name }));
        if (!now.in && clock.now().getTime() >= end) throw await whyNot(work, now.entry, options);
        await clock.sleep(PAUSE_MS, options?.signal);
      }
    },
  };
}

/** A probe says nothing before its delay, and one round of it (istiod facts 3.4: every 10 s where nothing is said). */
function firstProbeMs({ group: { probe } }: LiveGroup): number {
  return probe === undefined ? 0 : 1000 * ((probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10));
}

async function isIn(
  work: HostWork,
  entryOf: EntryOf,
  options?: CallOptions,
): Promise<{ readonly in: boolean; readonly entry: WorkloadEntry }> {
  const { scope } = work;
  const [entry, { group }] = await Promise.all([entryOf(scope, options), readGroup(scope, options)]);
  if (entry.membership === 'healthy') return { in: true, entry };
  const own = scope.vm.autoRegister === false;
  if (own ? isProbed(scope, group) : group.probe !== undefined) return { in: false, entry };
  // An entry that a person made and nothing probes is never marked: the machine itself is asked.
  const asked = own && entry.membership === 'never' ? await isReady(work, options) : false;
  return { in: entry.membership === 'connected' || asked, entry };
}

async function isReady({ host }: HostWork, options?: CallOptions): Promise<boolean> {
  const argv = ['curl', '-sS', '-f', '-o', '/dev/null', '-m', '3', 'http://localhost:15021/healthz/ready'];
  return (await host.run({ argv, timeoutMs: 10_000 }, options)).exitCode === 0;
}

async function whyNot({ scope, host }: HostWork, entry: WorkloadEntry, options?: CallOptions): Promise<Error> {
  const args = { vm: scope.vm.name, group: scope.vm.workloadGroup ?? '', unit: UNIT };
  if (entry.membership === 'unhealthy') return problem('istiod.unhealthy', { ...args, reason: entry.reason ?? '-' }, { kind: 'check' });
  const { stdout } = await host.run(logCommand, options);
  const since = unitOf(await host.probe({ units: [UNIT] }, options), UNIT)?.since;
  const why = explainLog(stdout, since);
  if (why === undefined) return problem('istiod.not-connected', args, { kind: 'check' });
  return problem('istiod.not-connected', { ...args, ...why.args }, { id: why.id, next: why.next, kind: 'check' });
}
