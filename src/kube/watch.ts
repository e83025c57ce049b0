import { setTimeout as sleep } from 'node:timers/promises';
import { asMeshError, isMeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, KubeObject, ObjectQuery, WatchEvent, WatchOptions } from '../mesh/ports.ts';
import { statusError, type Target } from './errors.ts';
import { isRecord, recordAt, textAt } from './json.ts';
import { toKubeObject } from './objects.ts';

export interface Listed {
  readonly items: readonly KubeObject[];
  /** Undefined where the kind is not served. */
  readonly resourceVersion: string | undefined;
}

/** The two requests a watch is made of. `stream` ends when the server ends it. */
export interface WatchSource {
  readonly context: string;
  readonly server: string;
  readonly target: Target;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  list(options: CallOptions): Promise<Listed>;
  stream(resourceVersion: string, signal: AbortSignal, onLine: (line: unknown) => void): Promise<void>;
}

/**
 * List, or go on from a list, then watch, again and again until the signal aborts (then it resolves). What vanished in a gap is reported as DELETED. Before the first
 * list has come through, any error rejects; later only 401 and 403 do, and a lost connection is tried again with growing, jittered pauses.
 */
export async function watchObjects(
  source: WatchSource,
  query: ObjectQuery,
  onEvent: (event: WatchEvent) => void,
  options: WatchOptions,
): Promise<void> {
  const { signal, from } = options;
  const known = new Map<string, KubeObject>(from?.present.map((object) => [keyOf(object), object]));
  let resourceVersion = from?.resourceVersion;
  let listed = from !== undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        resourceVersion = await listPresent(source, known, onEvent, options);
        listed = true;
        options.onListed?.();
        failures = 0;
      }
      // A kind that is not served may come with its CustomResourceDefinition.
      if (resourceVersion === undefined) await pause(source.longestWaitMs, signal);
      else {
        const started: string = resourceVersion;
        const advanced = (version: string) => {
          resourceVersion = version;
          failures = 0;
        };
        await source.stream(started, signal, (line) => takeLine(line, known, query, source, onEvent, advanced));
        // A server that ends the watch at once must not be asked in a tight loop.
        if (resourceVersion === started) await pause(backoff(source, failures++), signal);
      }
    } catch (error) {
      if (isAborted(signal)) return;
      // The history after this resourceVersion is gone, or the kind with its CustomResourceDefinition.
      if (isMeshError(error, 'kube.expired') || (listed && isMeshError(error, 'kube.not-found'))) {
        resourceVersion = undefined;
        await pause(backoff(source, failures++), signal);
        continue;
      }
      if (
        !listed ||
        isMeshError(error, 'kube.unauthorized') ||
        isMeshError(error, 'kube.forbidden') ||
        isMeshError(error, 'cancelled') ||
        !isMeshError(error)
      )
        throw asMeshError(error);
      options.onProgress?.(message('kube.watch.reconnecting', { context: source.context, code: error.code }));
      await pause(backoff(source, failures++), signal);
    }
  }
}

/** In a function of its own: the list must not live as long as the watch. */
async function listPresent(
  source: WatchSource,
  known: Map<string, KubeObject>,
  onEvent: (event: WatchEvent) => void,
  options: CallOptions,
): Promise<string | undefined> {
  const { items, resourceVersion } = await source.list(options);
  reconcile(known, items, onEvent);
  return resourceVersion;
}

function takeLine(
  line: unknown,
  known: Map<string, KubeObject>,
  query: ObjectQuery,
  source: WatchSource,
  onEvent: (event: WatchEvent) => void,
  advanced: (resourceVersion: string) => void,
): void {
  const type = textAt(line, 'type');
  const raw = recordAt(line, 'object');
  if (type === 'ERROR') {
    const code = typeof raw.code === 'number' ? raw.code : 500;
    throw statusError(code, raw, source.target, source.context, source.server);
  }
  const version = textAt(recordAt(raw, 'metadata'), 'resourceVersion');
  if (type === 'BOOKMARK') {
    if (version !== undefined) advanced(version);
    return;
  }
  const object = toKubeObject(raw, query);
  if (object === undefined || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')) return;
  const key = keyOf(object);
  if (type === 'DELETED') known.delete(key);
  else known.set(key, named(object));
  if (version !== undefined) advanced(version);
  onEvent({ type, object });
}

/** Turns a fresh list into the events that a gap has swallowed. */
function reconcile(known: Map<string, KubeObject>, items: readonly KubeObject[], onEvent: (event: WatchEvent) => void): void {
  const present = new Set(items.map(keyOf));
  for (const [key, object] of known) {
    if (present.has(key)) continue;
    known.delete(key);
    onEvent({ type: 'DELETED', object });
  }
  for (const object of items) {
    const before = known.get(keyOf(object));
    known.set(keyOf(object), named(object));
    if (before === undefined) onEvent({ type: 'ADDED', object });
    else if (before.metadata.resourceVersion !== object.metadata.resourceVersion) onEvent({ type: 'MODIFIED', object });
  }
}

/** Of an object only what tells it is kept: a cluster may have thousands. */
export function named({ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } };
}

/** The uid tells an object from a later one of the same name. */
function keyOf({ metadata }: KubeObject): string {
  return metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name}`;
}

function backoff({ firstWaitMs, longestWaitMs }: WatchSource, failures: number): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (!(isRecord(error) && error.name === 'AbortError')) throw error;
  }
}

// The compiler takes a signal that was seen not aborted to stay so.
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
