import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, KubeObject, ObjectQuery, ObjectRef, WatchEvent } from '../../mesh/ports.ts';
import { matchesFields, matchesLabels } from './selectors.ts';

const keyOf = (ref: ObjectRef): string => `${ref.apiVersion}|${ref.kind}|${ref.namespace ?? ''}|${ref.name}`;
export const refOf = (object: KubeObject): ObjectRef => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
});

/** The playground's etcd: objects with resourceVersions that grow, and events for whoever listens. Objects in it are never changed in place. */
export class ObjectStore {
  readonly #clock: Clock;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<(event: WatchEvent) => void>();
  #version = 1000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(ref: ObjectRef): KubeObject | undefined {
    return this.#objects.get(keyOf(ref));
  }

  list(query: ObjectQuery): readonly KubeObject[] {
    return [...this.#objects.values()].filter((object) => matches(query, object));
  }

  /** Writes an object; one that says what is stored already keeps its resourceVersion, and nobody is told. */
  put(object: KubeObject): { readonly object: KubeObject; readonly changed: boolean } {
    const key = keyOf(refOf(object));
    const before = this.#objects.get(key);
    const metadata = {
      ...object.metadata,
      uid: before?.metadata.uid ?? randomUUID(),
      creationTimestamp:
        before?.metadata.creationTimestamp ??
        this.#clock
          .now()
          .toISOString()
          .replace(/\.\d+Z$/, 'Z'),
      resourceVersion: before?.metadata.resourceVersion,
    };
    // Through JSON, as on the wire: a field without a value is not there.
    const next = JSON.parse(JSON.stringify({ ...object, metadata })) as KubeObject;
    if (before && isDeepStrictEqual(before, next)) return { object: before, changed: false };
    this.#version += 1;
    const stored: KubeObject = { ...next, metadata: { ...next.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(key, stored);
    this.#tell({ type: before ? 'MODIFIED' : 'ADDED', object: stored });
    return { object: stored, changed: true };
  }

  remove(ref: ObjectRef): void {
    const before = this.#objects.get(keyOf(ref));
    if (!before) return;
    this.#objects.delete(keyOf(ref));
    this.#version += 1;
    this.#tell({ type: 'DELETED', object: before });
  }

  /** Calls back for every change from now on; the answer ends it. */
  subscribe(listener: (event: WatchEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: WatchEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

export function matches(query: ObjectQuery, object: KubeObject): boolean {
  if (object.apiVersion !== query.apiVersion || object.kind !== query.kind) return false;
  if (query.namespace !== undefined && object.metadata.namespace !== query.namespace) return false;
  return matchesLabels(query.labelSelector, object.metadata.labels) && matchesFields(query.fieldSelector, object);
}
