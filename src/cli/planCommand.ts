import pLimit from 'p-limit';
import { asMeshError, MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { Plan, PlanEvent, PlanResult } from '../mesh/plan.ts';
import { describeResult, previewPlan, runPlans, undoPlan, type PlanPreview } from '../mesh/planRunner.ts';
import { exitCodeOfError, exitCodes } from './exitCode.ts';
import type { TargetResult } from './output.ts';
import { previewJson, previewLines, progressLine } from './planText.ts';
import type { Session } from './session.ts';

/** VMs, clusters or services worked on at once. */
const AT_ONCE = 8;

/** One thing a command changes, and how to get the plan for it. */
export interface Target {
  readonly kind: 'vm' | 'cluster' | 'service' | 'group';
  readonly name: string;
  plan(): Promise<Plan>;
}

type Prepared = { readonly target: Target } & ({ readonly preview: PlanPreview } | { readonly error: MeshError });

/**
 * Makes, shows, confirms and runs the plans of a command. A target whose plan cannot be made fails alone. With `--dry-run` nothing runs; without `--yes`
 * one question stands for all plans. With `--undo-on-failure` a plan that fails is taken back as far as it came; one that is cancelled stays where it stopped, to be resumed.
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
  session: Session,
  ready: readonly (Prepared & { readonly preview: PlanPreview })[],
): Promise<ReadonlyMap<Plan, PlanResult>> {
  const { output, signal } = session;
  const names = new Map(ready.map(({ target, preview }) => [preview.plan, target.name]));
  const told = new Set<string>();
  const tell = (plan: Plan, event: PlanEvent): void => {
    const line = progressLine(names.get(plan) ?? '', event, output.texts);
    // What is asked again and again until it is so is told once.
    if (event.progress !== undefined && told.has(line)) return;
    told.add(line);
    output.note(line);
  };
  const results = await runPlans(
    ready.map(({ preview }) => preview.plan),
    { signal, concurrency: AT_ONCE, onPlanEvent: tell },
  );
  const taken = await Promise.all(
    results.map((result) => (wantsUndo(session, result) ? takeBack(session, result, tell) : Promise.resolve(result))),
  );
  return new Map(taken.map((result) => [result.plan, result]));
}

function wantsUndo({ options, signal }: Session, result: PlanResult): boolean {
  return options.undoOnFailure === true && !result.ok && result.changed && !signal.aborted;
}

/** The run's own error stays the one that is told; what could not be undone is told beside it. */
async function takeBack(
  { output, signal }: Session,
  failed: PlanResult,
  tell: (plan: Plan, event: PlanEvent) => void,
): Promise<PlanResult> {
  output.say(message('cli.undoing', { plan: output.texts(failed.plan.title) }));
  const undone = await undoPlan(failed, { signal, onEvent: (event) => tell(failed.plan, event) });
  if (undone.error !== undefined) output.error(undone.error);
  return { ...undone, ok: false, error: failed.error };
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
