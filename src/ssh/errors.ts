import { MeshError, type ErrorKind } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';

type Args = Readonly<Record<string, string | number>>;

export interface HostErrorInit {
  readonly kind?: ErrorKind;
  readonly cause?: unknown;
  readonly field?: string;
  /** Message id without `ssh.`; default: the code without `host.`. Its next step is `<id>.next`. */
  readonly text?: string;
}

const DEFAULT_KINDS: Readonly<Record<string, ErrorKind>> = {
  'host.key-unknown': 'person',
  'host.key-changed': 'person',
  'host.key-revoked': 'person',
  'host.auth-failed': 'person',
  'host.sudo-password': 'person',
  'host.drift': 'person',
  'host.name': 'bad-input',
  'host.path': 'bad-input',
  'host.word': 'bad-input',
  'package.source': 'bad-input',
  cancelled: 'cancelled',
};

/** A MeshError of this room: code `host.x` has the text `ssh.x` and the next step `ssh.x.next`. */
export function hostError(code: string, args: Args, init: HostErrorInit = {}): MeshError {
  const text = init.text ?? code.replace(/^host\./, '');
  return new MeshError({
    code,
    kind: init.kind ?? DEFAULT_KINDS[code] ?? 'failed',
    userMessage: message(`ssh.${text}`, args),
    nextStep: message(`ssh.${text}.next`, args),
    field: init.field,
    cause: init.cause,
  });
}

/** Text that came from a server or a program, made fit for a message: no control characters, at most 500 characters. */
export function printable(text: string): string {
  const clean = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  return clean.length > 500 ? `${clean.slice(0, 500)}...` : clean;
}

/** The text of any thrown value, for the argument of a message. */
export function errorText(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
