import pLimit from 'p-limit';
import { asMeshError, MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { Plan, PlanResult } from '../mesh/plan.ts';
import { describeResult, previewPlan, runPlans, type PlanPreview } from '../mesh/planRunner.ts';
import { exitCodeOfError, exitCodes } from './exitCode.ts';
import type { TargetResult } from './output.ts';
import { previewJson, previewLines, progressLine } from './planText.ts';
import type { Session } from './session.ts';

/** VMs, clusters or services worked on at once. */
const AT_ONCE = 8;

/** One thing a command changes, and how to get the plan for it. */
export interface Target {
  readonly kind: 'vm' | 'cluster' | 'service';
  readonly name: string;
  plan(): Promise<Plan>;
}

type Prepared = { readonly target: Target } & ({ readonly preview: PlanPreview } | { readonly error: MeshError });

/**
 * Makes, shows, confirms and runs the plans of a command. A target whose plan cannot be made fails alone. With `--dry-run` nothing runs; without `--yes`
 * one question stands for all plans.
 */
export async function changeTargets(session: Session, targets: readonly Target[]): Promise<readonly TargetResult[]> {
  const { output, options, signal } = session;
  const limit = pLimit(AT_ONCE);
  const prepared = await Promise.all(targets.map((target) => limit(() => prepare(target, signal))));
  for (const one of prepared) {
    if ('error' in one) output.error(one.error, one.target.name);
    else previewLines(one.preview, output.texts).forEach((line) => output.note(line));
  }
  const ready = prepared.filter((one) => 'preview' in one);
  const declined = options.dryRun === true || !ready.some(({ preview }) => preview.needed) ? undefined : await ask(session);
  const results = options.dryRun === true || declined !== undefined ? new Map<Plan, PlanResult>() : await run(session, ready);
  return prepared.map((one): TargetResult => {
    const named = { [one.target.kind]: one.target.name };
    if ('error' in one) return { ...named, ...output.failure(one.error) };
    if (declined !== undefined) return { ...named, ...output.failure(declined) };
    const result = results.get(one.preview.plan);
    return result === undefined ? wouldDo(session, named, one.target.name, one.preview) : didDo(session, named, one.target.name, result);
  });
}

async function prepare(target: Target, signal: AbortSignal): Promise<Prepared> {
  try {
    signal.throwIfAborted();
    return { target, preview: await previewPlan(await target.plan(), { signal }) };
  } catch (error) {
    return { target, error: asMeshError(error) };
  }
}

/** Undefined where the person, or `--yes`, agrees. */
async function ask({ options, prompts, output, signal }: Session): Promise<MeshError | undefined> {
  if (options.yes === true) return undefined;
  if (await prompts.confirm(output.texts(message('cli.confirm')))) return undefined;
  if (signal.aborted) return asMeshError(signal.reason);
  return new MeshError({ code: 'cli.declined', kind: 'person', userMessage: message('cli.declined') });
}

async function run(
  { output, signal }: Session,
  ready: readonly (Prepared & { readonly preview: PlanPreview })[],
): Promise<ReadonlyMap<Plan, PlanResult>> {
  const names = new Map(ready.map(({ target, preview }) => [preview.plan, target.name]));
  const results = await runPlans(
    ready.map(({ preview }) => preview.plan),
    { signal, concurrency: AT_ONCE, onPlanEvent: (plan, event) => output.note(progressLine(names.get(plan) ?? '', event, output.texts)) },
  );
  return new Map(results.map((result) => [result.plan, result]));
}

function wouldDo({ output }: Session, named: object, name: string, preview: PlanPreview): TargetResult {
  output.result(`${name}: ${output.texts(preview.needed ? message('cli.would-change') : message('cli.nothing-to-do'))}`);
  return {
    ...named,
    ok: true,
    changed: false,
    code: exitCodes.fine,
    wouldChange: preview.needed,
    steps: previewJson(preview, output.texts),
  };
}

function didDo({ output }: Session, named: object, name: string, result: PlanResult): TargetResult {
  const { texts } = output;
  if (result.error !== undefined) output.error(result.error, name);
  output.result(`${name}: ${texts(describeResult(result))}`);
  const steps = result.plan.steps.map((step, index) => ({
    id: step.id,
    title: texts(step.title),
    target: step.target,
    state: result.states[index],
  }));
  const failure =
    result.error === undefined
      ? { code: exitCodes.fine }
      : { code: exitCodeOfError(result.error), error: output.failure(result.error).error };
  return { ...named, ok: result.ok, changed: result.changed, ...failure, state: texts(describeResult(result)), steps };
}
