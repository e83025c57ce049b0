import type * as vscode from 'vscode';
import type { MeshError } from '../mesh/errors.ts';
import type { Texts } from './texts.ts';

/** The output channel; nothing of class Secret prints there, and no caller puts file contents in. */
export interface Log {
  info(text: string): void;
  warn(text: string): void;
  /** The error's code, message, next step and the chain of its causes. */
  error(during: string, error: MeshError): void;
  show(): void;
}

export function createLog(channel: vscode.LogOutputChannel, texts: Texts): Log {
  return {
    info: (text) => channel.info(text),
    warn: (text) => channel.warn(text),
    error: (during, error) => {
      const lines = [`${during}: ${texts.say(error.userMessage)} [${error.code}${error.field === undefined ? '' : `, ${error.field}`}]`];
      if (error.nextStep !== undefined) lines.push(`  ${texts.say(error.nextStep)}`);
      lines.push(...causes(error.cause));
      channel.error(lines.join('\n'));
    },
    show: () => channel.show(true),
  };
}

function causes(cause: unknown, depth = 0): string[] {
  if (cause === undefined || cause === null || depth > 5) return [];
  const text =
    cause instanceof Error ? (depth === 0 ? (cause.stack ?? cause.message) : cause.message) : typeof cause === 'string' ? cause : '';
  const next = cause instanceof Error ? causes(cause.cause, depth + 1) : [];
  return text === '' ? next : [`  caused by: ${text}`, ...next];
}
