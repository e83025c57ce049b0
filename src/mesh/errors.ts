import { message, type Message } from './messages.ts';

/**
 * What kind of trouble an error is; the command line's exit code follows from it (design: contracts).
 * failed: 1, bad-input: 2, check: 3 (a check failed or drift was found), person: 4 (host key, password, conflict), cancelled: 130.
 */
export type ErrorKind = 'failed' | 'bad-input' | 'check' | 'person' | 'cancelled';

export interface MeshErrorInit {
  readonly code: string;
  readonly kind?: ErrorKind;
  readonly userMessage: Message;
  readonly nextStep?: Message;
  /** For bad input: the field as the user knows it, e.g. `vms[0].inboundPorts`. */
  readonly field?: string;
  /** Values that the field may take; `text`: as a person tells them apart. */
  readonly choices?: readonly Choice[];
  readonly cause?: unknown;
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}

/** Typed error of the core. Bundles do not share classes: tell errors apart by `code` through `isMeshError`, never by `instanceof`. */
export class MeshError extends Error {
  readonly meshError = true;
  readonly code: string;
  readonly kind: ErrorKind;
  readonly userMessage: Message;
  readonly nextStep: Message | undefined;
  readonly field: string | undefined;
  readonly choices: readonly Choice[];

  constructor(init: MeshErrorInit) {
    super(`${init.code}: ${init.userMessage.id}`, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'MeshError';
    this.code = init.code;
    this.kind = init.kind ?? 'failed';
    this.userMessage = init.userMessage;
    this.nextStep = init.nextStep;
    this.field = init.field;
    this.choices = init.choices ?? [];
  }
}

/** True for a MeshError of any bundle; with `code`, only for that one. */
export function isMeshError(error: unknown, code?: string): error is MeshError {
  if (typeof error !== 'object' || error === null || !('meshError' in error) || error.meshError !== true) return false;
  return code === undefined || ('code' in error && error.code === code);
}

/** Any thrown value as a MeshError; what is not one becomes code `unexpected`. An abort becomes code `cancelled`. */
export function asMeshError(error: unknown): MeshError {
  if (isMeshError(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') return cancelled(error);
  const text = error instanceof Error ? error.message : String(error);
  return new MeshError({
    code: 'unexpected',
    userMessage: message('mesh.unexpected', { text }),
    nextStep: message('mesh.unexpected.next'),
    cause: error,
  });
}

export function cancelled(cause?: unknown): MeshError {
  return new MeshError({ code: 'cancelled', kind: 'cancelled', userMessage: message('mesh.cancelled'), cause });
}
