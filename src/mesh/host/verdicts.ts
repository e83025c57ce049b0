import { message, type Message } from '../messages.ts';
import type { CheckResult } from '../model.ts';

/** What a judge says. */
export type Judgement = Pick<CheckResult, 'verdict' | 'reason' | 'why' | 'nextStep'>;

export function passed(reason: Message): Judgement {
  return { verdict: 'ok', reason };
}

export function failed(reason: Message, why?: Message, nextStep?: Message): Judgement {
  return { verdict: 'fail', reason, ...(why === undefined ? {} : { why }), ...(nextStep === undefined ? {} : { nextStep }) };
}

export function skipped(reason: Message): Judgement {
  return { verdict: 'skipped', reason };
}

/** A program that the machine lacks (exit code 127). */
export function noProgram(program: string, debianPackage: string): Judgement {
  return failed(message('check.no-program', { program }), undefined, message('check.no-program.next', { package: debianPackage }));
}

export function timedOut(): Judgement {
  return failed(message('check.timed-out'), undefined, message('check.timed-out.next'));
}
