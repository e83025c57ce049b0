import * as vscode from 'vscode';
import { asMeshError } from '../mesh/errors.ts';
import type { Message } from '../mesh/messages.ts';
import type { Plan, PlanEvent, PlanResult } from '../mesh/plan.ts';
import type { PlanPreview } from '../mesh/planRunner.ts';
import type { CallOptions } from '../mesh/ports.ts';
import type { Facts } from './facts.ts';
import type { GeneratedTexts } from './generatedTexts.ts';
import type { Log } from './log.ts';
import { confirmPlans } from './planConfirm.ts';
import type { Problems } from './problems.ts';
import type { Prompts } from './prompts.ts';
import type { Session } from './session.ts';
import type { Texts } from './texts.ts';
import { askForTrust } from './trust.ts';

/** One plan to make and run, with what it touches: read anew afterwards. */
export interface Job {
  readonly make: (options: CallOptions) => Promise<Plan>;
  readonly vms: readonly string[];
  readonly clusters: readonly string[];
}

export interface RunRequest {
  /** The person has seen what will happen: only a danger is asked about. */
  readonly confirmed?: boolean;
  /** A button of the summary when all went well. */
  readonly afterwards?: { readonly text: string; readonly label: string; readonly run: () => Promise<void> };
}

export interface Plans {
  /** Makes the plans, shows what they will do, asks, and runs them with progress. Answers the results; undefined where the person said no. Never throws. */
  run(title: string, jobs: readonly Job[], options?: RunRequest): Promise<readonly PlanResult[] | undefined>;
  /** Reads anew what jobs touched, as far as the inventory knows it. */
  readAgain(jobs: readonly Job[]): Promise<void>;
  /** One line of a step's state, as the progress and the log show it. */
  eventText(event: PlanEvent): string;
}

interface Parts {
  readonly texts: Texts;
  readonly log: Log;
  readonly problems: Problems;
  readonly prompts: Prompts;
  readonly session: Session;
  readonly facts: Facts;
  readonly generated: GeneratedTexts;
}

export function createPlans(parts: Parts): Plans {
  const { texts, log, problems, prompts, session, facts, generated } = parts;
  const { t, say } = texts;

  const eventText = (event: PlanEvent): string => {
    const detail: Message | undefined = event.progress ?? event.error?.userMessage;
    const line = t('editor.plan.step', { title: say(event.step.title), index: event.index + 1, total: event.total });
    return detail === undefined ? line : `${line}: ${say(detail)}`;
  };

  const withProgress = <T>(title: string, work: (signal: AbortSignal, report: (text: string) => void) => Promise<T>): Promise<T> =>
    Promise.resolve(
      vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, async (progress, token) => {
        const abort = new AbortController();
        const listening = token.onCancellationRequested(() => abort.abort());
        try {
          return await prompts.interactively(() => work(abort.signal, (message) => progress.report({ message })));
        } finally {
          listening.dispose();
        }
      }),
    );

  const readAgain = async (jobs: readonly Job[]): Promise<void> => {
    const vms = new Set(jobs.flatMap((job) => job.vms));
    const clusters = new Set(jobs.flatMap((job) => job.clusters));
    const known = session.file.read().then(({ inventory }) => new Set(inventory.vms.map(({ name }) => name)));
    const names = [...vms].filter(await known.then((set) => (name: string) => set.has(name)));
    await Promise.all([
      ...[...clusters].map((name) => facts.readAnew(name)),
      ...names.map((name) => facts.readVm(name)),
      ...names.map((name) => generated.refresh(name).catch(() => undefined)),
    ]);
  };

  const preview = async (title: string, jobs: readonly Job[]): Promise<readonly PlanPreview[]> => {
    const { previewPlan } = await session.rooms.mesh();
    return withProgress(title, (signal, report) => {
      report(t('editor.plan.preparing'));
      return Promise.all(jobs.map(async (job) => previewPlan(await job.make({ signal }), { signal })));
    });
  };

  const execute = async (title: string, plans: readonly Plan[], jobs: readonly Job[]): Promise<readonly PlanResult[]> => {
    const { runPlans } = await session.rooms.mesh();
    const results = await withProgress(title, (signal, report) =>
      runPlans(plans, {
        signal,
        onPlanEvent: (plan, event) => {
          const text = eventText(event);
          const target = plans.length > 1 ? `${event.step.target}: ` : '';
          log.info(`${say(plan.title)}: ${event.state}: ${text}`);
          if (event.state === 'running') report(`${target}${text}`);
          if (event.error !== undefined) log.error(`${say(plan.title)}: ${say(event.step.title)}`, event.error);
        },
      }),
    );
    void readAgain(jobs);
    return results;
  };

  const undo = async (title: string, results: readonly PlanResult[], jobs: readonly Job[]): Promise<void> => {
    const { undoPlan, describeResult } = await session.rooms.mesh();
    const undone = await withProgress(t('editor.plan.undoing', { title }), (signal, report) =>
      Promise.all(results.map((result) => undoPlan(result, { signal, onEvent: (event) => report(eventText(event)) }))),
    );
    void readAgain(jobs);
    for (const result of undone) {
      if (result.error !== undefined) await problems.show(say(result.plan.title), result.error);
      else void vscode.window.showInformationMessage(`${say(result.plan.title)}: ${say(describeResult(result))}`);
    }
  };

  /** The summary at the end; its buttons live on after the command has ended. */
  const summarize = async (
    title: string,
    results: readonly PlanResult[],
    jobs: readonly Job[],
    { afterwards }: RunRequest,
  ): Promise<void> => {
    const { describeResult } = await session.rooms.mesh();
    const failed = results.filter((result) => !result.ok);
    const canUndo = results.some((result) =>
      result.states.some((state, index) => state === 'done' && result.plan.steps[index]?.undo !== undefined),
    );
    const actions = { show: t('editor.action.show'), retry: t('editor.action.retry'), undo: t('editor.action.undo') };
    const [first] = failed;
    let chosen: string | undefined;
    if (first === undefined) {
      const [only] = results;
      const text =
        results.length === 1 && only !== undefined
          ? `${say(only.plan.title)}: ${say(describeResult(only))}`
          : t('editor.plan.allDone', { title, count: results.length });
      const buttons = [...(afterwards === undefined ? [] : [afterwards.label]), actions.show, ...(canUndo ? [actions.undo] : [])];
      chosen = await vscode.window.showInformationMessage(afterwards === undefined ? text : `${text} ${afterwards.text}`, ...buttons);
      if (afterwards !== undefined && chosen === afterwards.label) await afterwards.run();
    } else {
      const more = failed.length > 1 ? t('editor.plan.moreFailed', { count: failed.length - 1 }) : '';
      const text =
        `${say(first.plan.title)}: ${first.error === undefined ? '' : problems.text(first.error)} ${say(describeResult(first))} ${more}`.trim();
      const show = first.error?.kind === 'cancelled' ? vscode.window.showWarningMessage : vscode.window.showErrorMessage;
      chosen = await show(text, actions.show, actions.retry, ...(canUndo ? [actions.undo] : []));
    }
    if (chosen === actions.show) log.show();
    if (chosen === actions.undo) await undo(title, results, jobs);
    if (chosen === actions.retry)
      await run(
        title,
        jobs.filter((_, index) => results[index]?.ok === false),
        { confirmed: true },
      );
  };

  const run: Plans['run'] = async (title, jobs, options = {}) => {
    // A form of the last session is back in a folder that is not trusted any more.
    if (!vscode.workspace.isTrusted) {
      void askForTrust(texts, title);
      return undefined;
    }
    try {
      const previews = await preview(title, jobs);
      if (previews.every((one) => !one.needed)) {
        void vscode.window.showInformationMessage(t('editor.plan.nothing', { title }));
        void readAgain(jobs);
        return previews.map(({ plan }) => ({ plan, ok: true, changed: false, states: plan.steps.map(() => 'unchanged' as const) }));
      }
      if (!(await confirmPlans(texts, title, previews, options.confirmed === true))) return undefined;
      const results = await execute(
        title,
        previews.map(({ plan }) => plan),
        jobs,
      );
      void summarize(title, results, jobs, options).catch((thrown: unknown) => log.error(title, asMeshError(thrown)));
      return results;
    } catch (thrown) {
      void readAgain(jobs);
      void problems.show(title, thrown);
      return undefined;
    }
  };
  return { run, eventText, readAgain };
}
