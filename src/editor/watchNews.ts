import { sha256 } from '../mesh/hash.ts';
import type { KubeObject, WatchEvent } from '../mesh/ports.ts';

/** What an event makes worth reading: everything of the cluster, or only how it sees its machines. */
export type News = 'none' | 'groups' | 'all';

/** Old clusters elect their leaders through Endpoints that change every two seconds. */
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';

/** The name by which an object is known among those of its kind. */
export function keyOf({ metadata }: KubeObject): string {
  return flat(metadata.namespace ?? '', '/', metadata.name);
}

/** Names and digests of 100,000 objects: what `+` makes keeps its parts beside it. */
function flat(...parts: readonly string[]): string {
  return parts.join('');
}

/** What an event says that the tree shows, by what was seen of its object before; a repeated object says nothing. */
export function newsOf({ type, object }: WatchEvent, seen: Map<string, string>): News {
  const key = keyOf(object);
  if (type === 'DELETED') return seen.delete(key) ? 'all' : 'none';
  if (object.metadata.annotations?.[leaderAnnotation] !== undefined) return 'none';
  const [shape, state] = [digest([object.spec, object.subsets, object.metadata.labels]), digest(stateOf(object))];
  const before = seen.get(key);
  const now = flat(shape, ' ', state);
  if (before === now) return 'none';
  seen.set(key, now);
  // A machine that comes, goes or turns unhealthy changes its entry's annotations and conditions and nothing else.
  return object.kind === 'WorkloadEntry' && before?.startsWith(`${shape} `) === true ? 'groups' : 'all';
}

/** What a watch that tells these objects first would have seen of them. */
export function digestsOf(objects: readonly KubeObject[]): Map<string, string> {
  const seen = new Map<string, string>();
  for (const object of objects) newsOf({ type: 'ADDED', object }, seen);
  return seen;
}

/** Whether an object that files are made from is another than when it was seen last; the first sight is no change. */
export function isChanged({ type, object }: WatchEvent, seen: Map<string, string>): boolean {
  const key = `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  const now = type === 'DELETED' ? '' : JSON.stringify([object.data, object.spec, object.status]);
  const before = seen.get(key);
  seen.set(key, now);
  return before !== undefined && before !== now;
}

/** Annotations say how machines are connected; those of other kinds are other programs' notes, e.g. when an election was held. */
function stateOf({ kind, status, metadata }: KubeObject): unknown {
  return [status, kind === 'WorkloadEntry' ? metadata.annotations : undefined];
}

/** Enough of a hash to tell states of one object apart: a window may watch 100,000 objects. */
function digest(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 12);
}
