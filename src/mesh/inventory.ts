import { isMap, isNode, isPair, LineCounter, parseDocument, type Document } from 'yaml';
import { brokenReferences } from './inventoryReferences.ts';
import { inventorySchema, knownKeys, type RawInventory } from './inventorySchema.ts';
import { fieldName, InventoryError, ruleText, shown, type InventoryProblem, type Position } from './inventoryProblems.ts';
import type { Inventory } from './model.ts';
import { nearest } from './nearest.ts';

/** A read inventory: what it says, the YAML document for edits that keep comments, and where each field stands. */
export interface ParsedInventory {
  readonly inventory: Inventory;
  readonly document: Document.Parsed;
  /** Position of a field such as `vms[0].address`; of its nearest parent where it is not written. */
  position(field: readonly (string | number)[]): Position;
}

export type InventoryReading =
  | { readonly ok: true; readonly parsed: ParsedInventory }
  | { readonly ok: false; readonly problems: readonly [InventoryProblem, ...InventoryProblem[]] };

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly code: string;
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
}

/** An inventory without anything in it: what a missing or empty file means. */
export const emptyInventory: Inventory = { version: 1, clusters: [], vms: [], services: [] };

/** Reads mesh-expansion.yaml. An empty text is an empty inventory. Throws InventoryError (`inventory.invalid`) with every problem found. */
export function parseInventory(text: string, file?: string): ParsedInventory {
  const reading = readInventory(text);
  if (!reading.ok) throw new InventoryError(reading.problems, file);
  return reading.parsed;
}

/** Like `parseInventory`, with the problems as an answer: for diagnostics and forms. */
export function readInventory(text: string): InventoryReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (start: number, end: number): Position => {
    const from = lines.linePos(start);
    const to = lines.linePos(Math.max(start, end));
    return { line: Math.max(1, from.line), column: Math.max(1, from.col), endLine: Math.max(1, to.line), endColumn: Math.max(1, to.col) };
  };
  const position = (path: readonly PropertyKey[], onKey = false): Position => placeAt(...rangeOf(document, path, onKey));
  const found = (path: readonly PropertyKey[], rule: string, value: string, other = '', onKey = false): InventoryProblem => {
    const field = fieldName(path);
    return { field, rule, value, text: ruleText(rule, field, value, other), position: position(path, onKey) };
  };
  const read = (inventory: Inventory): InventoryReading => ({ ok: true, parsed: { inventory, document, position } });

  // A warning is a tag that is not known: its value would be taken for plain text.
  const broken = [...document.errors, ...document.warnings].map(({ message: whole, pos }): InventoryProblem => {
    const [text = ''] = whole.split('; please use');
    return { field: '', rule: 'yaml', value: text, text: ruleText('yaml', '', text), position: placeAt(pos[0], pos[1]) };
  });
  if (isFilled(broken)) return { ok: false, problems: broken };
  const raw = toValue(document);
  if (!raw.ok) return { ok: false, problems: [found([], 'yaml', raw.reason)] };
  if (raw.value === null) return read(emptyInventory);
  const result = inventorySchema.safeParse(raw.value);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => problemsOfIssue(issue, raw.value, found));
    return { ok: false, problems: isFilled(problems) ? problems : [found([], 'yaml', result.error.message)] };
  }
  const inventory = withDefaults(result.data);
  const references = brokenReferences(inventory).map((reference) =>
    found(reference.path, reference.rule, shown(reference.value), reference.other),
  );
  return isFilled(references) ? { ok: false, problems: references } : read(inventory);
}

function isFilled<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}

/** Plain value of the document; a bomb of aliases is refused by the library. */
function toValue(
  document: Document.Parsed,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 50 }) as unknown };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function problemsOfIssue(
  issue: Issue,
  root: unknown,
  found: (path: readonly PropertyKey[], rule: string, value: string, other?: string, onKey?: boolean) => InventoryProblem,
): InventoryProblem[] {
  const keys = issue.code === 'unrecognized_keys' ? (issue.keys ?? []) : [];
  if (keys.length > 0)
    return keys.map((key) => found([...issue.path, key], 'unknown-key', shown(key), nearest(key, knownKeys(issue.path)) ?? '', true));
  // Of a value that may be several things, the branch that got inside it (a list's element) says most.
  const inside = (issue.errors ?? []).flat().filter((inner) => inner.path.length > 0);
  if (inside.length > 0) return inside.flatMap((inner) => problemsOfIssue({ ...inner, path: [...issue.path, ...inner.path] }, root, found));
  const value = valueAt(root, issue.path);
  if (issue.code === 'invalid_key') return [found(issue.path, 'qualified-name', shown(issue.path.at(-1)), '', true)];
  if (value === undefined || value === null) return [found(issue.path, 'required', '')];
  return [found(issue.path, issue.message, shown(value))];
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined),
    root,
  );
}

/** Offsets of a field's value, or of its key; of the nearest parent where the field is not written. */
function rangeOf(document: Document.Parsed, path: readonly PropertyKey[], onKey: boolean): [number, number] {
  const written = path.filter((part): part is string | number => typeof part !== 'symbol');
  if (onKey) {
    const parent: unknown = written.length === 1 ? document.contents : document.getIn(written.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find((item) => isPair(item) && String(item.key) === String(written.at(-1))) : undefined;
    const range = isNode(pair?.key) ? pair.key.range : undefined;
    if (range) return [range[0], range[1]];
  }
  for (let length = written.length; length > 0; length--) {
    const node: unknown = document.getIn(written.slice(0, length), true);
    if (isNode(node) && node.range) return [node.range[0], node.range[1]];
  }
  const range = document.contents?.range;
  return range ? [range[0], range[0]] : [0, 0];
}

/** Name of a port that was given none, as `istioctl register` has it (citadel facts 5, 10). */
function defaultPortName(port: number): string {
  const usual: Readonly<Record<number, string>> = { 80: 'http', 443: 'https', 3306: 'mysql', 8080: 'http' };
  return usual[port] ?? String(port);
}

/** Fills in the defaults of design, Contracts. */
function withDefaults(raw: RawInventory): Inventory {
  return {
    version: 1,
    clusters: (raw.clusters ?? []).map(({ ingress, ...cluster }) => ({
      ...cluster,
      name: cluster.name ?? cluster.context,
      istio: { ...cluster.istio, namespace: cluster.istio?.namespace ?? 'istio-system' },
      clusterDomain: cluster.clusterDomain ?? 'cluster.local',
      ...(ingress === undefined ? {} : { ingress: { ...ingress, service: ingress.service ?? 'istio-eastwestgateway' } }),
    })),
    vms: (raw.vms ?? []).map((vm) => ({ ...vm, host: vm.host ?? vm.name, serviceAccount: vm.serviceAccount ?? 'default' })),
    services: (raw.services ?? []).map((service) => ({
      ...service,
      ports: service.ports.map((port) => ({
        name: port.name ?? defaultPortName(port.port),
        port: port.port,
        targetPort: port.targetPort ?? port.port,
        protocol: port.protocol ?? 'TCP',
      })),
      vms: service.vms ?? [],
      serviceAccount: service.serviceAccount ?? 'default',
      labels: service.labels ?? {},
      annotations: service.annotations ?? {},
    })),
  };
}
