import pLimit from 'p-limit';
import { asMeshError, cancelled, MeshError } from './errors.ts';
import { message, type Message } from './messages.ts';
import type { Plan, PlanEvent, PlanResult, Step, StepPreview, StepState } from './plan.ts';
import type { CallOptions } from './ports.ts';

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: PlanEvent) => void;
  /** Limit of each step in milliseconds; without it a step has only the limits of its own calls. */
  readonly timeoutMs?: number;
}

/** What a plan would do: one preview per step, in order. */
export interface PlanPreview {
  readonly plan: Plan;
  readonly steps: readonly { readonly step: Step; readonly preview: StepPreview }[];
  /** True where at least one step has something to do. */
  readonly needed: boolean;
}

/** Milliseconds that a cancelled or late step has to stop by itself (design: the remote process is gone within 2 s, and its answer takes a while). */
const STOP_GRACE_MS = 5000;

/** Asks every step what it will do. Reads only. Throws what a step's preview throws. */
export async function previewPlan(plan: Plan, options: CallOptions = {}): Promise<PlanPreview> {
  const steps: { step: Step; preview: StepPreview }[] = [];
  for (const step of plan.steps) {
    if (options.signal?.aborted) throw cancelled(options.signal.reason);
    steps.push({ step, preview: await step.preview(options) });
  }
  return { plan, steps, needed: steps.some(({ preview }) => preview.needed) };
}

/**
 * Runs a plan's steps in order; a step whose preview says that it is done already is left alone, so running the plan again resumes a broken run and changes nothing
 * in a finished one. Never throws: what went wrong is in the result, whose `states` say how far it came.
 */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<PlanResult> {
  const states: StepState[] = plan.steps.map(() => 'waiting');
  const report = reporter(plan, states, options.onEvent);
  for (const [index, step] of plan.steps.entries()) {
    try {
      report(index, 'running');
      const didSomething = await within(
        options,
        (call) => doStep(step, call),
        (progress) => report(index, 'running', { progress }),
      );
      report(index, didSomething ? 'done' : 'unchanged');
    } catch (thrown) {
      const error = options.signal?.aborted === true ? asCancelled(thrown) : asMeshError(thrown);
      report(index, error.kind === 'cancelled' ? 'cancelled' : 'failed', { error });
      return { plan, ok: false, changed: didChange(plan, states), states, error };
    }
  }
  return { plan, ok: true, changed: didChange(plan, states), states };
}

/** Runs several plans at once, at most `concurrency` at a time (default 8). Results are in the order of the plans; one that fails does not stop the others. */
export async function runPlans(
  plans: readonly Plan[],
  options: RunOptions & { readonly concurrency?: number; readonly onPlanEvent?: (plan: Plan, event: PlanEvent) => void } = {},
): Promise<readonly PlanResult[]> {
  const { concurrency = 8, onPlanEvent, onEvent, ...rest } = options;
  const limit = pLimit(concurrency);
  return Promise.all(
    plans.map((plan) =>
      limit(() =>
        runPlan(plan, {
          ...rest,
          onEvent: (event) => {
            onEvent?.(event);
            onPlanEvent?.(plan, event);
          },
        }),
      ),
    ),
  );
}

/**
 * Takes back the steps that a run did, last first. A step that failed is not taken back: steps leave the old or the new state, and undoing what was never done
 * could destroy what others made. A step without `undo` keeps its state `done`. An undo that fails does not stop the others; the first error is in the result.
 */
export async function undoPlan(result: PlanResult, options: RunOptions = {}): Promise<PlanResult> {
  const { plan } = result;
  const states: StepState[] = [...result.states];
  const report = reporter(plan, states, options.onEvent);
  let first: MeshError | undefined;
  for (const [index, step] of [...plan.steps.entries()].reverse()) {
    if (states[index] !== 'done' || step.undo === undefined || step.readOnly === true) continue;
    const undo = step.undo.bind(step);
    try {
      if (options.signal?.aborted) throw cancelled(options.signal.reason);
      await within(options, undo, (progress) => options.onEvent?.({ step, index, total: plan.steps.length, state: 'running', progress }));
      report(index, 'undone');
    } catch (thrown) {
      const error = options.signal?.aborted === true ? asCancelled(thrown) : asMeshError(thrown);
      first ??= error;
      if (error.kind === 'cancelled') break;
      report(index, 'undo-failed', { error });
    }
  }
  return { plan, ok: first === undefined, changed: didChange(plan, states), states, error: first };
}

/** One line that names the state a run left behind: how many steps are done, where it stopped, and whether anything before that changed something: a step that stopped tells its own state. */
export function describeResult(result: PlanResult): Message {
  const total = result.states.length;
  const done = result.states.filter((state, index) => state === 'done' && result.plan.steps[index]?.readOnly !== true).length;
  const undone = result.states.filter((state) => state === 'undone').length;
  if (undone > 0)
    return message('plan.state.undone', { undone, kept: done + result.states.filter((state) => state === 'undo-failed').length });
  if (result.ok) return result.changed ? message('plan.state.done', { done, total }) : message('plan.state.unchanged');
  const at = result.states.findIndex((state) => state === 'failed' || state === 'cancelled') + 1;
  return done === 0 ? message('plan.state.stopped-unchanged', { at, total }) : message('plan.state.stopped', { done, total, at });
}

/** Steps that only look change nothing; an undo that failed leaves its change behind. */
function didChange(plan: Plan, states: readonly StepState[]): boolean {
  return states.some((state, index) => (state === 'done' || state === 'undo-failed') && plan.steps[index]?.readOnly !== true);
}

async function doStep(step: Step, call: CallOptions): Promise<boolean> {
  if (!(await step.preview(call)).needed) return false;
  call.signal?.throwIfAborted();
  await step.run(call);
  return true;
}

/** Runs `work` under the signal and the time limit; when either ends it, waits for it to stop, but not for ever. */
async function within<T>(
  options: RunOptions,
  work: (call: CallOptions) => Promise<T>,
  onProgress: (progress: Message) => void,
): Promise<T> {
  const limit = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, limit].filter((one) => one !== undefined));
  signal.throwIfAborted();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  const stuck = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(
        () =>
          reject(
            new MeshError({
              code: 'plan.not-stopped',
              userMessage: message('plan.not-stopped'),
              nextStep: message('plan.not-stopped.next'),
            }),
          ),
        STOP_GRACE_MS,
      );
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work({ signal, onProgress }), stuck]);
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (limit?.aborted === true && options.signal?.aborted !== true && (error.kind === 'cancelled' || error.code === 'unexpected')) {
      throw new MeshError({
        code: 'plan.timeout',
        userMessage: message('plan.timeout', { seconds: Math.round((options.timeoutMs ?? 0) / 1000) }),
        nextStep: message('plan.timeout.next'),
        cause: thrown,
      });
    }
    throw thrown;
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

/** After an abort every failure is a cancellation, but one that says more: a step that did not stop keeps its own error. */
function asCancelled(thrown: unknown): MeshError {
  const error = asMeshError(thrown);
  return error.kind === 'cancelled' || error.code === 'plan.not-stopped' ? error : cancelled(thrown);
}

function reporter(plan: Plan, states: StepState[], onEvent: RunOptions['onEvent']) {
  return (index: number, state: StepState, more: Pick<PlanEvent, 'progress' | 'error'> = {}): void => {
    const step = plan.steps[index];
    if (step === undefined) return;
    states[index] = state;
    onEvent?.({ step, index, total: plan.steps.length, state, ...more });
  };
}
