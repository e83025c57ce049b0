import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../mesh/ports.ts';

/**
 * Server-side apply in small: an object as a map from field paths to values, and who owns which path. A list of ports is keyed by
 * port and protocol as the API server keys it; any other list is one value.
 */
export type Fields = ReadonlyMap<string, unknown>;
export type Owners = ReadonlyMap<string, string>;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isPortList = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every((entry) => isRecord(entry) && typeof entry.port === 'number');
const portKey = (entry: Record<string, unknown>): string =>
  `#${JSON.stringify(entry.port)}/${typeof entry.protocol === 'string' ? entry.protocol : 'TCP'}`;

/** Paths (JSON arrays of keys) and values of what a writer may own: everything but identity, bookkeeping and status. */
export function fieldsOf(object: KubeObject): Fields {
  const fields = new Map<string, unknown>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (isPortList(value)) for (const entry of value) walk(entry, [...path, portKey(entry)]);
    else if (isRecord(value) && Object.keys(value).length > 0)
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    else if (value !== undefined) fields.set(JSON.stringify(path), value);
  };
  for (const [key, value] of Object.entries(object)) if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) walk(value, [key]);
  walk({ labels: object.metadata.labels, annotations: object.metadata.annotations }, ['metadata']);
  return fields;
}

/** The object with its owned fields replaced by these. */
export function withFields(object: KubeObject, fields: Fields): KubeObject {
  const tree: Record<string, unknown> = {};
  for (const [path, value] of fields) {
    const keys = JSON.parse(path) as string[];
    let at = tree;
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    const last = keys.at(-1);
    if (last !== undefined) at[last] = value;
  }
  const { metadata, ...rest } = listsAgain(tree) as { metadata?: KubeObject['metadata'] } & Record<string, unknown>;
  const status = object.status === undefined ? {} : { status: object.status };
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...object.metadata, labels: metadata?.labels, annotations: metadata?.annotations },
    ...rest,
    ...status,
  };
}

function listsAgain(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, listsAgain(inner)]);
  if (entries.length > 0 && entries.every(([key]) => key.startsWith('#'))) return entries.map(([, inner]) => inner);
  return Object.fromEntries(entries);
}

/** A field that another manager owns and that would get another value. */
export interface FieldConflict {
  readonly path: string;
  readonly owner: string;
}

/** What an apply by `manager` makes of the present fields: set what is wanted, take away what it owned and wants no more. Never forces. */
export function applyFields(
  present: Fields,
  owners: Owners,
  wanted: Fields,
  manager: string,
): { readonly fields: Fields; readonly owners: Owners; readonly conflicts: readonly FieldConflict[] } {
  const fields = new Map(present);
  const nextOwners = new Map(owners);
  const conflicts: FieldConflict[] = [];
  for (const [path, owner] of owners) {
    if (owner !== manager || wanted.has(path)) continue;
    const element = (JSON.parse(path) as string[]).findIndex((key) => key.startsWith('#'));
    const gone = element < 0 ? path : JSON.stringify((JSON.parse(path) as string[]).slice(0, element + 1)).slice(0, -1);
    const stillWanted = element >= 0 && [...wanted.keys()].some((other) => other.startsWith(gone));
    for (const other of [...fields.keys()]) {
      if (other === path || (element >= 0 && !stillWanted && other.startsWith(gone))) fields.delete(other);
    }
    nextOwners.delete(path);
  }
  for (const [path, value] of wanted) {
    const owner = owners.get(path);
    const same = isDeepStrictEqual(present.get(path), value);
    if (!same && owner !== undefined && owner !== manager) conflicts.push({ path: (JSON.parse(path) as string[]).join('.'), owner });
    fields.set(path, value);
    if (owner === undefined || owner === manager || !same) nextOwners.set(path, manager);
  }
  return { fields, owners: nextOwners, conflicts };
}
