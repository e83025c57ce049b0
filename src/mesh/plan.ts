import type { Message } from './messages.ts';
import type { MeshError } from './errors.ts';
import type { CallOptions, ObjectRef } from './ports.ts';

/** What a step touches, for the preview: shown before anything runs. */
export type StepDetail =
  | {
      readonly kind: 'object';
      readonly verb: 'create' | 'change' | 'delete' | 'keep';
      readonly ref: ObjectRef;
      /** YAML of what is written, where a person chose what is in it. */ readonly manifest?: string;
    }
  | { readonly kind: 'file'; readonly verb: 'create' | 'change' | 'delete' | 'keep'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'command'; readonly commandLine: string }
  | { readonly kind: 'note'; readonly text: Message };

export interface Step {
  readonly id: string;
  readonly title: Message;
  /** Host alias or context the step works on. */
  readonly target: string;
  /** True for a step that only looks (a preflight, a wait, checks): doing it is no change, so a second run of the plan still changed nothing. */
  readonly readOnly?: boolean;
  /** What it will do, and whether that is already so. Reads only. */
  preview(options?: CallOptions): Promise<StepPreview>;
  /** Does it. Called only when the preview said it is needed. */
  run(options?: CallOptions): Promise<void>;
  /** Takes back what `run` did; absent where nothing can be taken back. */
  undo?(options?: CallOptions): Promise<void>;
}

export interface StepPreview {
  readonly needed: boolean;
  readonly details: readonly StepDetail[];
}

export interface Plan {
  /** e.g. `join`, `leave`, `push`, `setup`, `register`. */
  readonly id: string;
  readonly title: Message;
  readonly context?: string;
  readonly hosts: readonly string[];
  readonly steps: readonly Step[];
  /** Set where the plan destroys or exposes something: a modal names it. */
  readonly danger?: Message;
}

export type StepState = 'waiting' | 'running' | 'done' | 'unchanged' | 'failed' | 'cancelled' | 'undone' | 'undo-failed';

export interface PlanEvent {
  readonly step: Step;
  readonly index: number;
  readonly total: number;
  readonly state: StepState;
  readonly progress?: Message;
  readonly error?: MeshError;
}

export interface PlanResult {
  readonly plan: Plan;
  readonly ok: boolean;
  /** True where at least one step did something. */
  readonly changed: boolean;
  readonly states: readonly StepState[];
  readonly error?: MeshError;
}
