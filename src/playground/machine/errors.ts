import { MeshError, type ErrorKind } from '../../mesh/errors.ts';
import { message } from '../../mesh/messages.ts';

/** A machine's error with its message and next step, `playground.<id>` and `playground.<id>.next`. */
export function hostError(
  code: string,
  id: string,
  args: Readonly<Record<string, string | number>>,
  options: { readonly kind?: ErrorKind; readonly next?: boolean } = {},
): MeshError {
  return new MeshError({
    code,
    kind: options.kind,
    userMessage: message(`playground.${id}`, args),
    nextStep: options.next === true ? message(`playground.${id}.next`, args) : undefined,
  });
}
