import { MeshError, type ErrorKind } from './errors.ts';
import { message, type Message } from './messages.ts';
import type { ObjectRef } from './ports.ts';

/** An error of the core. The message id is the code unless `id` says otherwise; `next` is the message id with `.next` appended. */
export function problem(
  code: string,
  args: Message['args'] = {},
  more: {
    readonly id?: string;
    readonly kind?: ErrorKind;
    readonly field?: string;
    readonly cause?: unknown;
    readonly next?: Message;
  } = {},
): MeshError {
  const id = more.id ?? code;
  return new MeshError({
    code,
    kind: more.kind,
    field: more.field,
    cause: more.cause,
    userMessage: message(id, args),
    nextStep: more.next ?? message(`${id}.next`, args),
  });
}

/** `namespace/name`, as people write it. */
export function refName(ref: Pick<ObjectRef, 'namespace' | 'name'>): string {
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}
