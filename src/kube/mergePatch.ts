import { isDeepStrictEqual } from 'node:util';
import { isRecord, type JsonRecord } from './json.ts';

/**
 * What of `wanted` differs in `live`, as a JSON merge patch (RFC 7386); undefined: nothing. Never takes away what `wanted` does not name: the server's
 * defaults and other people's fields stay. A list is replaced as a whole by that patch format, so what the server added to its items is put back in.
 */
export function differingFields(wanted: JsonRecord, live: JsonRecord): JsonRecord | undefined {
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (value === undefined) continue;
    const present = live[key];
    if (isRecord(value)) {
      const inner = isRecord(present) ? differingFields(value, present) : value;
      if (inner !== undefined) patch[key] = inner;
    } else {
      const overlaid = overlay(value, present);
      if (!isDeepStrictEqual(overlaid, present)) patch[key] = overlaid;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** `wanted` on top of `live`: fields of `live` that `wanted` does not name stay. */
function overlay(wanted: unknown, live: unknown): unknown {
  if (Array.isArray(wanted)) {
    const present: readonly unknown[] = Array.isArray(live) ? live : [];
    return wanted.map((item: unknown, index) => overlay(item, counterpart(item, index, present)));
  }
  if (!isRecord(wanted)) return wanted;
  if (!isRecord(live)) return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const result: Record<string, unknown> = { ...live };
  for (const [key, value] of Object.entries(wanted)) if (value !== undefined) result[key] = overlay(value, live[key]);
  return result;
}

/** The same item in the live list: by name, else by port and protocol, as Kubernetes' own merge keys; plain lists by position. */
function counterpart(item: unknown, index: number, present: readonly unknown[]): unknown {
  if (!isRecord(item)) return present[index];
  if (typeof item.name === 'string') return present.find((other) => isRecord(other) && other.name === item.name);
  if (item.port !== undefined)
    return present.find((other) => isRecord(other) && other.port === item.port && (other.protocol ?? 'TCP') === (item.protocol ?? 'TCP'));
  return present[index];
}
