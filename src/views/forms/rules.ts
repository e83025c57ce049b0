import type { Texts } from '../../editor/texts.ts';
import type { MeshRoom } from '../../editor/rooms.ts';
import { isMeshError } from '../../mesh/errors.ts';
import type { Inventory } from '../../mesh/model.ts';

export type Problems = Record<string, string>;

/** What an edit of the inventory's text gives: the parsed result, or the broken rules by form field. */
export type Edited =
  { readonly ok: true; readonly text: string; readonly inventory: Inventory } | { readonly ok: false; readonly problems: Problems };

/**
 * Tries an edit of the inventory: a form is valid when the inventory with its values is. So the same rules hold in the form, the file and the command line.
 * `fieldOf` names the form's field for a field of the inventory, e.g. `vms[0].namespace`.
 */
export function tryEdit(room: MeshRoom, texts: Texts, edit: () => string, fieldOf: (inventoryField: string) => string): Edited {
  try {
    const text = edit();
    const reading = room.readInventory(text);
    if (reading.ok) return { ok: true, text, inventory: reading.parsed.inventory };
    return { ok: false, problems: problemsByField(reading.problems, texts, fieldOf) };
  } catch (thrown) {
    const problems = room.problemsOf(thrown);
    if (problems.length > 0) return { ok: false, problems: problemsByField(problems, texts, fieldOf) };
    if (isMeshError(thrown)) return { ok: false, problems: { [fieldOf(thrown.field ?? '')]: texts.say(thrown.userMessage) } };
    throw thrown;
  }
}

function problemsByField(problems: ReturnType<MeshRoom['problemsOf']>, texts: Texts, fieldOf: (field: string) => string): Problems {
  const byField: Problems = {};
  for (const { field, text } of problems) byField[fieldOf(field)] ??= texts.say(text);
  return byField;
}

/** Last key of an inventory field: `vms[2].inboundPorts[1]` gives `inboundPorts`. */
export function lastKey(field: string): string {
  return (
    field
      .replaceAll(/\[\d+\]/g, '')
      .split('.')
      .at(-1) ?? ''
  );
}

/** Ports as a person types them: `3306, 8080` or `*`; undefined for nothing. The wrong word is in `wrong`. */
export function readPorts(text: string): { readonly ports: readonly number[] | '*' | undefined; readonly wrong?: string } {
  if (text === '') return { ports: undefined };
  if (text === '*') return { ports: '*' };
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const wrong = words.find((word) => !/^\d{1,5}$/.test(word) || Number(word) < 1 || Number(word) > 65535);
  return wrong === undefined ? { ports: [...new Set(words.map(Number))] } : { ports: undefined, wrong };
}

/** Lines `key=value` as a record; the first line that is none is in `wrong`. A bare key has an empty value, as istioctl reads it (citadel facts 5). */
export function readPairs(text: string): { readonly pairs: Readonly<Record<string, string>>; readonly wrong?: string } {
  const pairs: Record<string, string> = {};
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    const key = at < 0 ? line : line.slice(0, at);
    if (key === '') return { pairs, wrong: line };
    pairs[key] = at < 0 ? '' : line.slice(at + 1);
  }
  return { pairs };
}
