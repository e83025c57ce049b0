import { message, type Message } from '../messages.ts';
import type { Finding, Severity } from '../model.ts';

/** A finding whose texts are `lint.RULE` and `lint.RULE.next`. */
export function finding(rule: string, severity: Severity, at: Finding['at'], args: Message['args'] = {}): Finding {
  return { rule, severity, text: message(`lint.${rule}`, args), nextStep: message(`lint.${rule}.next`, args), at };
}
