import { runChecks } from '../checkRunner.ts';
import { MeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { Step } from '../plan.ts';
import { commandLine } from '../shellWords.ts';
import { checks } from './checks.ts';
import type { HostWork } from './joinContext.ts';

/** A sidecar needs a moment after its start before it routes. */
const ROUNDS = 6;
const PAUSE_MS = 2_000;

/** The last step of a join: the same checks that Check runs. Throws `citadel.check-failed` (kind check) with the first failure's reason. */
export function checkStep(work: HostWork): Step {
  return {
    id: 'checks',
    title: message('citadel.checks.title'),
    target: work.host.alias,
    readOnly: true,
    async preview(options) {
      const all = await checks(work.scope, options);
      return {
        needed: true,
        details: all
          .filter(({ skipped }) => skipped === undefined)
          .map(({ command }) => ({ kind: 'command', commandLine: commandLine(command.argv, command.asRoot) })),
      };
    },
    async run(options) {
      const all = await checks(work.scope, options);
      for (let round = 1; ; round += 1) {
        const results = await runChecks(all, work.host, { onResult: ({ reason }) => options?.onProgress?.(reason) }, options);
        const [first] = results.filter(({ verdict }) => verdict === 'fail');
        if (first === undefined) return;
        if (round >= ROUNDS)
          throw new MeshError({
            code: 'citadel.check-failed',
            kind: 'check',
            userMessage: first.reason,
            nextStep: first.nextStep ?? first.why,
          });
        await work.scope.ports.clock.sleep(PAUSE_MS, options?.signal);
      }
    },
  };
}
