import { message, type Message } from '../mesh/messages.ts';
import type { PlanEvent, StepDetail, StepState } from '../mesh/plan.ts';
import type { PlanPreview } from '../mesh/planRunner.ts';
import type { ObjectRef } from '../mesh/ports.ts';
import type { Texts } from './language.ts';

const stepStates: Readonly<Record<StepState, Message>> = {
  waiting: message('cli.step.waiting'),
  running: message('cli.step.running'),
  done: message('cli.step.done'),
  unchanged: message('cli.step.unchanged'),
  failed: message('cli.step.failed'),
  cancelled: message('cli.step.cancelled'),
  undone: message('cli.step.undone'),
  'undo-failed': message('cli.step.undo-failed'),
};
const marks = { create: '+', change: '~', delete: '-', keep: '=' } as const;

/** What a plan will do, line by line: the context, the hosts, each step and what it touches. */
export function previewLines({ plan, steps }: PlanPreview, texts: Texts): readonly string[] {
  return [
    texts(plan.title),
    ...(plan.context === undefined ? [] : [`  ${texts(message('cli.plan.context', { context: plan.context }))}`]),
    ...(plan.hosts.length === 0 ? [] : [`  ${texts(message('cli.plan.hosts', { hosts: plan.hosts.join(', ') }))}`]),
    ...steps.flatMap(({ step, preview }, index) => [
      `  ${index + 1}. ${texts(step.title)}${preview.needed ? '' : ` (${texts(message('cli.plan.already'))})`}`,
      ...(preview.needed ? preview.details.map((detail) => `     ${detailText(detail, texts)}`) : []),
    ]),
    ...(plan.danger === undefined ? [] : [`  ! ${texts(plan.danger)}`]),
  ];
}

function detailText(detail: StepDetail, texts: Texts): string {
  switch (detail.kind) {
    case 'object':
      return `${marks[detail.verb]} ${refText(detail.ref)}`;
    case 'file':
      return `${marks[detail.verb]} ${detail.path}${detail.mode === undefined ? '' : ` ${detail.mode.toString(8).padStart(4, '0')}`}`;
    case 'command':
      return `$ ${detail.commandLine}`;
    case 'note':
      return texts(detail.text);
  }
}

function refText(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
}

/** One line of progress: `db-1 3/7 Install the package: done`. */
export function progressLine(target: string, { step, index, total, state, progress }: PlanEvent, texts: Texts): string {
  return `${target} ${index + 1}/${total} ${texts(step.title)}: ${progress === undefined ? texts(stepStates[state]) : texts(progress)}`;
}

/** The preview for `--json`. */
export function previewJson({ steps }: PlanPreview, texts: Texts): readonly Readonly<Record<string, unknown>>[] {
  return steps.map(({ step, preview }) => ({
    id: step.id,
    title: texts(step.title),
    target: step.target,
    needed: preview.needed,
    details: preview.details.map((detail) => (detail.kind === 'note' ? { kind: 'note', text: texts(detail.text) } : detail)),
  }));
}
