import type { Message } from '../messages.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostState } from '../ports.ts';
import type { HostWork } from './hostWork.ts';

/** A step whose work follows from the machine's state alone: `wanted` tells what is to be done, undefined where nothing is. */
export interface Wanted<T> {
  readonly id: string;
  readonly title: Message;
  readonly wanted: (state: HostState) => T | undefined;
  readonly details: (wanted: T) => readonly StepDetail[];
  readonly run: (wanted: T, options?: CallOptions) => Promise<unknown>;
  readonly undo?: Step['undo'];
}

export function wantedStep<T>(work: Pick<HostWork, 'host' | 'view'>, { id, title, wanted, details, run, undo }: Wanted<T>): Step {
  return {
    id,
    title,
    target: work.host.alias,
    async preview(options) {
      const found = wanted(await work.view.read(options));
      return { needed: found !== undefined, details: found === undefined ? [] : details(found) };
    },
    async run(options) {
      const found = wanted(await work.view.read(options));
      if (found !== undefined) await work.view.change(() => run(found, options));
    },
    ...(undo === undefined ? {} : { undo }),
  };
}

/** The list; undefined where it is empty, so that a step that would do nothing is not needed. */
export function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
