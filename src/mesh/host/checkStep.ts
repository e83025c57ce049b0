import { runChecks } from '../checkRunner.ts';
import type { Check, VmScope } from '../era.ts';
import { MeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { CheckResult } from '../model.ts';
import type { Step } from '../plan.ts';
import type { CallOptions } from '../ports.ts';
import { commandLine } from '../shellWords.ts';
import type { HostWork } from './hostWork.ts';

/** A sidecar needs a moment after its start before it routes, a node agent before it is answered: what fails is asked again for so long. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 2_000;

/** The last step of a join: the same checks that Check runs. Throws `host.check-failed` (kind check) with the first failure's reason. */
export function checkStep(work: HostWork, checks: (scope: VmScope, options?: CallOptions) => Promise<readonly Check[]>): Step {
  return {
    id: 'checks',
    title: message('host.checks.title'),
    target: work.host.alias,
    readOnly: true,
    async preview(options) {
      const all = await checks(work.scope, options);
      const asked = all.filter(({ skipped }) => skipped === undefined);
      return {
        needed: true,
        details: asked.map(({ command }) => ({ kind: 'command', commandLine: commandLine(command.argv, command.asRoot) })),
      };
    },
    async run(options) {
      const { clock } = work.scope.ports;
      const all = await checks(work.scope, options);
      const end = clock.now().getTime() + PATIENCE_MS;
      let results = await ask(work, all, [], options);
      while (firstFailure(results) !== undefined && clock.now().getTime() < end) {
        await clock.sleep(PAUSE_MS, options?.signal);
        results = await ask(work, all, results, options);
      }
      const failure = firstFailure(results);
      if (failure === undefined) return;
      throw new MeshError({
        code: 'host.check-failed',
        kind: 'check',
        userMessage: failure.reason,
        nextStep: failure.nextStep ?? failure.why,
      });
    },
  };
}

/** Runs the checks that have not passed yet; the others keep their results. */
async function ask(
  work: HostWork,
  all: readonly Check[],
  before: readonly CheckResult[],
  options?: CallOptions,
): Promise<readonly CheckResult[]> {
  const kept = before.filter(({ verdict }) => verdict !== 'fail');
  const again = all.filter(({ id }) => !kept.some((result) => result.id === id));
  const fresh = await runChecks(withEarlier(again, kept), work.host, { onResult: ({ reason }) => options?.onProgress?.(reason) }, options);
  return all.flatMap(({ id }) => [...kept, ...fresh].find((result) => result.id === id) ?? []);
}

function withEarlier(again: readonly Check[], kept: readonly CheckResult[]): readonly Check[] {
  return again.map((check) => ({ ...check, judge: (output, earlier) => check.judge(output, [...kept, ...earlier]) }));
}

function firstFailure(results: readonly CheckResult[]): CheckResult | undefined {
  return results.find(({ verdict }) => verdict === 'fail');
}
