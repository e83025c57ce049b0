import * as vscode from 'vscode';
import type { PlanPreview } from '../mesh/planRunner.ts';
import type { PlanResult, StepDetail } from '../mesh/plan.ts';
import type { Texts } from './texts.ts';

/** Shows what plans will do and asks. What destroys or exposes something is a modal that names it; everything else a list where Enter goes on. */
export async function confirmPlans(texts: Texts, title: string, previews: readonly PlanPreview[], confirmed: boolean): Promise<boolean> {
  const { t, say } = texts;
  const dangers = previews.flatMap(({ plan }) => (plan.danger === undefined ? [] : [plan]));
  if (dangers.length > 0) {
    const detail = dangers
      .map((plan) =>
        [
          say(plan.danger ?? plan.title),
          t('editor.plan.where', { context: plan.context ?? '-', hosts: plan.hosts.join(', ') || '-' }),
        ].join('\n'),
      )
      .join('\n\n');
    return (
      (await vscode.window.showWarningMessage(
        t('editor.plan.question', { title: dangers.map((plan) => say(plan.title)).join('; ') }),
        { modal: true, detail },
        title,
      )) === title
    );
  }
  if (confirmed) return true;
  return choose(title, t('editor.plan.placeholder'), itemsOf(texts, title, previews));
}

/** Undoing what several machines have had done to them is asked first: among them may be ones where all went well. */
export async function confirmUndo({ t, say }: Texts, title: string, results: readonly PlanResult[]): Promise<boolean> {
  const undone = results.filter(({ plan, states }) =>
    states.some((state, index) => state === 'done' && plan.steps[index]?.undo !== undefined),
  );
  if (undone.length < 2) return true;
  const action = t('editor.action.undo');
  const contexts = [...new Set(undone.flatMap(({ plan }) => plan.context ?? []))].join(', ');
  const where = t('editor.plan.where', { context: contexts || '-', hosts: undone.flatMap(({ plan }) => plan.hosts).join(', ') || '-' });
  const detail = [...undone.map(({ plan }) => say(plan.title)), '', where].join('\n');
  return (await vscode.window.showWarningMessage(t('editor.plan.undoQuestion', { title }), { modal: true, detail }, action)) === action;
}

interface PlanItem extends vscode.QuickPickItem {
  readonly goes?: true;
}

function itemsOf(texts: Texts, title: string, previews: readonly PlanPreview[]): readonly PlanItem[] {
  const { t, say } = texts;
  const where = previews.map(({ plan }) => plan.hosts.join(', ') || (plan.context ?? '')).join(', ');
  const contexts = [...new Set(previews.map(({ plan }) => plan.context).filter((context) => context !== undefined))].join(', ');
  const [only] = previews;
  const label = previews.length === 1 && only !== undefined ? say(only.plan.title) : title;
  const go: PlanItem = {
    label: `$(play) ${label}`,
    description: where,
    detail: contexts === '' ? undefined : t('editor.plan.context', { context: contexts }),
    goes: true,
    alwaysShow: true,
  };
  const steps = previews.flatMap(({ plan, steps: list }): PlanItem[] => [
    ...(previews.length === 1 ? [] : [{ label: say(plan.title), kind: vscode.QuickPickItemKind.Separator }]),
    ...list.map(({ step, preview }): PlanItem => ({
      label: `${preview.needed ? '$(circle-large-outline)' : '$(check)'} ${say(step.title)}`,
      description: preview.needed ? '' : t('editor.plan.alreadyDone'),
      detail: preview.needed
        ? preview.details
            // One line: what stays as it is would hide what changes.
            .filter((detail) => !('verb' in detail) || detail.verb !== 'keep')
            .map((detail) => detailText(detail, texts))
            .join(' · ')
        : undefined,
    })),
  ]);
  return [go, ...steps];
}

/** One change of a step, in words. */
export function detailText(detail: StepDetail, { t, say }: Texts): string {
  switch (detail.kind) {
    case 'object':
      return t(`editor.verb.${detail.verb}`, {
        what: `${detail.ref.kind} ${detail.ref.namespace === undefined ? '' : `${detail.ref.namespace}/`}${detail.ref.name}`,
      });
    case 'file':
      return t(`editor.verb.${detail.verb}`, {
        what: detail.mode === undefined ? detail.path : `${detail.path} (${detail.mode.toString(8).padStart(4, '0')})`,
      });
    case 'command':
      return `$ ${detail.commandLine}`;
    case 'note':
      return say(detail.text);
  }
}

/** The first row goes on; the others are there to be read. */
function choose(title: string, placeholder: string, items: readonly PlanItem[]): Promise<boolean> {
  return new Promise((resolve) => {
    const pick = vscode.window.createQuickPick<PlanItem>();
    let answer = false;
    pick.title = title;
    pick.placeholder = placeholder;
    pick.items = items;
    pick.matchOnDetail = true;
    pick.ignoreFocusOut = true;
    pick.onDidAccept(() => {
      if (pick.activeItems[0]?.goes !== true) return;
      answer = true;
      pick.hide();
    });
    pick.onDidHide(() => {
      pick.dispose();
      resolve(answer);
    });
    pick.show();
  });
}
