import * as vscode from 'vscode';
import { asMeshError } from '../mesh/errors.ts';
import type { Message } from '../mesh/messages.ts';
import type { Plan, PlanEvent, PlanResult } from '../mesh/plan.ts';
import type { PlanPreview } from '../mesh/planRunner.ts';
import type { CallOptions } from '../mesh/ports.ts';
import type { Facts } from './facts.ts';
import type { GeneratedTexts } from './generatedTexts.ts';
import type { Log } from './log.ts';
import { confirmPlans, confirmUndo } from './planConfirm.ts';
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
  /** Told how every run of these jobs ended, a retry from the summary too; undefined where none ran. */
  readonly ended?: (results: readonly PlanResult[] | undefined) => Promise<void>;
  /** A button of the summary when all went well. */
  readonly afterwards?: { readonly text: string; readonly label: string; readonly run: () => Promise<void> };
}

export interface Plans {
  /** Makes the plans, shows what they will do, asks, and runs them with progress. Answers the results; undefined where the person said no. Never throws. */
  run(title: string, jobs: readonly Job[], options?: RunRequest): Promise<readonly PlanResult[] | undefined>;
  /** Fires with the VMs on which something may have been done. */
  readonly onDidRun: vscode.Event<readonly string[]>;
  dispose(): void;
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
  const didRun = new vscode.EventEmitter<readonly string[]>();

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
    didRun.fire([...vms]);
    const names = [...vms].filter(await known.then((set) => (name: string) => set.has(name)));
    await Promise.all([
      ...[...clusters].map((name) => facts.readAnew(name)),
      ...names.map((name) => facts.readVmAnew(name)),
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

  const execute = async (title: string, plans: readonly Plan[]): Promise<readonly PlanResult[]> => {
    const { runPlans } = await session.rooms.mesh();
    return withProgress(title, (signal, report) =>
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
  };

  const undo = async (title: string, results: readonly PlanResult[], jobs: readonly Job[]): Promise<void> => {
    const { undoPlan, describeResult } = await session.rooms.mesh();
    const undone = await withProgress(t('editor.plan.undoing', { title }), (signal, report) =>
      Promise.all(
        results.map((result) =>
          undoPlan(result, {
            signal,
            onEvent: (event) => {
              log.info(`${say(result.plan.title)}: ${event.state}: ${eventText(event)}`);
              if (event.error !== undefined) log.error(`${say(result.plan.title)}: ${say(event.step.title)}`, event.error);
              report(eventText(event));
            },
          }),
        ),
      ),
    );
    void readAgain(jobs);
    const failed = undone.filter((result) => result.error !== undefined);
    const [first] = failed;
    const [only] = undone;
    if (first?.error !== undefined) {
      const of = undone.length > 1 ? `${t('editor.plan.someFailed', { failed: failed.length, count: undone.length })} ` : '';
      await problems.show(`${of}${say(first.plan.title)}`, first.error);
    } else if (undone.length === 1 && only !== undefined) {
      void vscode.window.showInformationMessage(`${say(only.plan.title)}: ${say(describeResult(only))}`);
    } else void vscode.window.showInformationMessage(t('editor.plan.allUndone', { title, count: undone.length }));
  };

  type Describe = (result: PlanResult) => Message;
  const doneText = (title: string, results: readonly PlanResult[], describe: Describe, afterwards: RunRequest['afterwards']): string => {
    const [only] = results;
    const text =
      results.length === 1 && only !== undefined
        ? `${say(only.plan.title)}: ${say(describe(only))}`
        : t('editor.plan.allDone', { title, count: results.length });
    return afterwards === undefined ? text : `${text} ${afterwards.text}`;
  };
  const failedText = (first: PlanResult, count: number, failed: number, describe: Describe): string =>
    [
      count > 1 ? t('editor.plan.someFailed', { failed, count }) : undefined,
      `${say(first.plan.title)}:`,
      first.error === undefined ? undefined : problems.text(first.error),
      say(describe(first)),
    ]
      .filter((part) => part !== undefined)
      .join(' ');

  /** The summary at the end; its buttons live on after the command has ended. */
  const summarize = async (title: string, results: readonly PlanResult[], jobs: readonly Job[], options: RunRequest): Promise<void> => {
    const { describeResult } = await session.rooms.mesh();
    const failed = results.filter((result) => !result.ok);
    const canUndo = results.some((result) =>
      result.states.some((state, index) => state === 'done' && result.plan.steps[index]?.undo !== undefined),
    );
    const [first] = failed;
    const { afterwards } = options;
    const actions = {
      after: afterwards?.label,
      show: t('editor.action.show'),
      retry: t('editor.action.retry'),
      undo: t('editor.action.undo'),
    };
    const offered = first === undefined ? [actions.after, actions.show] : [actions.show, actions.retry];
    let buttons = [...offered, canUndo ? actions.undo : undefined].filter((button) => button !== undefined);
    const text =
      first === undefined
        ? doneText(title, results, describeResult, afterwards)
        : failedText(first, results.length, failed.length, describeResult);
    const show =
      first === undefined
        ? vscode.window.showInformationMessage
        : first.error?.kind === 'cancelled'
          ? vscode.window.showWarningMessage
          : vscode.window.showErrorMessage;
    let chosen = await show(text, ...buttons);
    while (chosen === actions.show) {
      log.show();
      // Who has read the log still wants to do something about it; a notification is gone with its first button.
      buttons = buttons.filter((button) => button !== actions.show);
      chosen = buttons.length === 0 ? undefined : await show(text, ...buttons);
    }
    if (chosen !== undefined && chosen === actions.after) await afterwards?.run();
    if (chosen === actions.undo && (await confirmUndo(texts, title, results))) await undo(title, results, jobs);
    if (chosen === actions.retry)
      await run(
        title,
        jobs.filter((_, index) => results[index]?.ok === false),
        { ...options, confirmed: true },
      );
  };

  const run: Plans['run'] = async (title, jobs, options = {}) => {
    // A form of the last session is back in a folder that is not trusted any more.
    if (!vscode.workspace.isTrusted) {
      void askForTrust(texts, title);
      return undefined;
    }
    let results: readonly PlanResult[] | undefined;
    try {
      const previews = await preview(title, jobs);
      const plans = previews.map(({ plan }) => plan);
      if (previews.every((one) => !one.needed)) {
        results = plans.map((plan) => ({ plan, ok: true, changed: false, states: plan.steps.map(() => 'unchanged' as const) }));
        void vscode.window.showInformationMessage(t('editor.plan.nothing', { title }));
      } else if (await confirmPlans(texts, title, previews, options.confirmed === true)) {
        results = await execute(title, plans);
        void summarize(title, results, jobs, options).catch((thrown: unknown) => log.error(title, asMeshError(thrown)));
      }
    } catch (thrown) {
      void problems.show(title, thrown);
    }
    try {
      await options.ended?.(results);
    } catch (thrown) {
      void problems.show(title, thrown);
    }
    void readAgain(jobs);
    return results;
  };
  return { run, eventText, readAgain, onDidRun: didRun.event, dispose: () => didRun.dispose() };
}
