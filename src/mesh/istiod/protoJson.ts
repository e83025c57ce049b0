import { parse } from 'yaml';
import type { MeshError } from '../errors.ts';
import { problem } from '../problem.ts';
import type { FieldKind, MessageShape } from './protoShapes.ts';

/**
 * Istio's messages as people write them in YAML, brought to the JSON that Istio prints of them: camel-case names, fields without a value left out,
 * durations in seconds, names for numbers of an enum. What a shape does not know (fields of other releases) stays as it is written.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Where a message stands, for errors: the object, and the path in it, e.g. `data.mesh: defaultConfig`. */
export interface Place {
  readonly object: string;
  readonly path: string;
}

/** YAML as Kubernetes' own tools read it: 1.1, but without its dates and base-60 numbers. Throws `istiod.yaml`. */
export function parseYaml(text: string, { object, path }: Place): unknown {
  try {
    return parse(text, {
      version: '1.1',
      maxAliasCount: 50,
      customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !(tag.format === 'TIME' || tag.tag.endsWith(':timestamp'))),
    }) as unknown;
  } catch (error) {
    throw problem('istiod.yaml', { object, path, text: firstLine(error) }, { cause: error });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/** A message as Istio prints it. Throws `istiod.field` where a value does not fit its field. */
export function normalized(value: unknown, shape: MessageShape, place: Place): JsonObject {
  return withoutZeros(setFields(value, shape, place), shape);
}

/** Every field of its own that a message sets, also to zero: that takes back what another said before. Throws `istiod.field`. */
export function setFields(value: unknown, shape: MessageShape, place: Place): JsonObject {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw misfit(place, 'mapping', value);
  const written = new Map(Object.entries(value).map(([key, item]) => [camel(key, shape), item] as const));
  const result: Record<string, unknown> = {};
  for (const [name, item] of written) {
    const kind = shape.fields[name];
    const at = { ...place, path: `${place.path}.${name}` };
    if (kind === undefined) {
      result[name] = item;
      continue;
    }
    if (item === null) continue;
    result[name] = field(item, kind, at);
  }
  return result;
}

/** Without fields that are zero, except those that were chosen out of several. */
export function withoutZeros(message: JsonObject, { fields, choices }: MessageShape): JsonObject {
  const isKept = ([name, value]: readonly [string, unknown]): boolean => {
    const kind = fields[name];
    return kind === undefined || choices?.some((names) => names.includes(name)) === true || !isZero(value, kind);
  };
  return Object.fromEntries(Object.entries(message).filter(isKept));
}

/** `one`, with every field that `other` sets in place of it; of a group of which one can be set, the last one stays (as a second YAML applied to a message). */
export function applied(one: JsonObject, other: JsonObject, shape: MessageShape): JsonObject {
  const replaced = new Set(
    (shape.choices ?? [])
      .filter((names) => names.some((name) => name in other))
      .flatMap((names) => names.filter((name) => !(name in other))),
  );
  return { ...Object.fromEntries(Object.entries(one).filter(([name]) => !replaced.has(name))), ...other };
}

/** The JSON name of a key, which may be written with underscores. */
function camel(key: string, shape: MessageShape): string {
  if (Object.hasOwn(shape.fields, key)) return key;
  return Object.keys(shape.fields).find((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) === key) ?? key;
}

function field(value: unknown, kind: FieldKind, place: Place): unknown {
  if (typeof kind === 'string') return simple(value, kind, place);
  if ('message' in kind) return normalized(value, kind.message, place);
  if ('oneOf' in kind) return enumName(value, kind.oneOf, place);
  if ('list' in kind) {
    if (!Array.isArray(value)) throw misfit(place, 'list', value);
    return value.map((item, index) => field(item, kind.list, { ...place, path: `${place.path}[${index}]` }));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(place, 'mapping', value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, field(item, kind.map, { ...place, path: `${place.path}.${key}` })]),
  );
}

function simple(value: unknown, kind: Extract<FieldKind, string>, place: Place): unknown {
  switch (kind) {
    case 'string':
      if (typeof value !== 'string') throw misfit(place, 'string', value);
      return value;
    case 'bool':
    case 'BoolValue':
      if (typeof value !== 'boolean') throw misfit(place, 'boolean', value);
      return value;
    case 'duration':
      return duration(value, place);
    case 'Int64Value':
      return String(number(value, place, true));
    case 'double':
      return number(value, place, false);
    default:
      return number(value, place, true);
  }
}

/** Numbers may also be written as text. */
function number(value: unknown, place: Place, whole: boolean): number {
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof found !== 'number' || !Number.isFinite(found) || (whole && !Number.isInteger(found)))
    throw misfit(place, whole ? 'integer' : 'number', value);
  return found;
}

/** The name of a number; a name that is not known is of another release. */
function enumName(value: unknown, names: readonly string[], place: Place): unknown {
  if (typeof value === 'number') return names[value] ?? value;
  if (typeof value !== 'string') throw misfit(place, 'string', value);
  return value;
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** `90s` of `1m30s`: seconds with 0, 3, 6 or 9 places. */
function duration(value: unknown, place: Place): string {
  const text = typeof value === 'string' ? value : '';
  if (!/^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) throw misfit(place, 'duration', value);
  const parts = [...text.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)];
  const nanoseconds = parts.reduce((sum, [, whole = '', fraction = '', unit = 's']) => {
    const size = units[unit] ?? 0n;
    return (
      sum + BigInt(whole === '' ? 0 : whole) * size + (fraction === '' ? 0n : (BigInt(fraction) * size) / 10n ** BigInt(fraction.length))
    );
  }, 0n);
  const places = String(nanoseconds % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/^(\d{3})000000$/, '$1')
    .replace(/^(\d{6})000$/, '$1');
  const sign = text.startsWith('-') && nanoseconds > 0n ? '-' : '';
  return `${sign}${nanoseconds / 1_000_000_000n}${/^0+$/.test(places) ? '' : `.${places}`}s`;
}

function isZero(value: unknown, kind: FieldKind): boolean {
  if (kind === 'string') return value === '';
  if (kind === 'bool') return value === false;
  if (kind === 'int' || kind === 'double') return value === 0;
  if (typeof kind === 'string') return false;
  if ('oneOf' in kind) return value === kind.oneOf[0];
  if ('list' in kind) return Array.isArray(value) && value.length === 0;
  return 'map' in kind && Object.keys(Object(value) as object).length === 0;
}

function misfit({ object, path }: Place, wanted: string, value: unknown): MeshError {
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined);
  return problem('istiod.field', { object, field: path, wanted, value: (shown ?? '').slice(0, 80) });
}
