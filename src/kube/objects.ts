import type { KubeObject, ObjectRef } from '../mesh/ports.ts';
import { isRecord, textAt } from './json.ts';

/**
 * What of an API answer is an object; items of a typed list lack apiVersion and kind, so the list's own are given. Undefined: not an object.
 * managedFields go, as kubectl leaves them out: they are half of an object's size, and an update without them keeps them on the server.
 */
export function toKubeObject(value: unknown, type: { readonly apiVersion: string; readonly kind: string }): KubeObject | undefined {
  if (!isRecord(value) || !isRecord(value.metadata)) return undefined;
  const name = textAt(value.metadata, 'name');
  if (name === undefined) return undefined;
  const apiVersion = textAt(value, 'apiVersion') ?? type.apiVersion;
  const kind = textAt(value, 'kind') ?? type.kind;
  const metadata = Object.fromEntries(Object.entries(value.metadata).filter(([key]) => key !== 'managedFields'));
  return { ...value, apiVersion, kind, metadata: { ...metadata, name } };
}

export function refOf(object: KubeObject): ObjectRef {
  return { apiVersion: object.apiVersion, kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}
