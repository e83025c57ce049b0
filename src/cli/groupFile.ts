import { isNode, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { MeshError } from '../mesh/errors.ts';
import { fieldName, ruleText, shown } from '../mesh/inventoryProblems.ts';
import { message, type Message } from '../mesh/messages.ts';
import type { ReadinessProbe, WorkloadGroup } from '../mesh/model.ts';
import { nearest } from '../mesh/nearest.ts';
import { groupSchema, knownGroupKeys, type RawGroup, type RawProbe } from './groupSchema.ts';

interface Place {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly file: string;
  /** Where the group stands in its document: `items[0]` of a List. */
  readonly at: readonly (string | number)[];
}

/**
 * WorkloadGroups of a YAML text: one, a stream, or a List, as kubectl prints them. Throws `group.invalid` (bad-input) with the field of the first thing that is
 * wrong and its line; the values are not yet held against the cluster.
 */
export function parseWorkloadGroups(text: string, file: string): readonly WorkloadGroup[] {
  const lines = new LineCounter();
  const groups: WorkloadGroup[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
    const [broken] = document.errors;
    if (broken !== undefined) {
      const { line, col } = lines.linePos(broken.pos[0]);
      throw invalid(file, '', line, col, ruleText('yaml', '', broken.code.toLowerCase().replaceAll('_', ' ')));
    }
    const value: unknown = document.toJS({ maxAliasCount: 50 });
    if (value === null || value === undefined) continue;
    const items = listItems(value);
    if (items === undefined) groups.push(toGroup(value, { document, lines, file, at: [] }));
    else items.forEach((item, index) => groups.push(toGroup(item, { document, lines, file, at: ['items', index] })));
  }
  if (groups.length === 0) throw invalid(file, '', 1, 1, message('cli.group.rule.none'));
  return groups;
}

function listItems(value: object): readonly unknown[] | undefined {
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  return (kind === 'List' || kind === 'WorkloadGroupList') && Array.isArray(items) ? items : undefined;
}

function toGroup(value: unknown, place: Place): WorkloadGroup {
  const parsed = groupSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw problemOf(issue ?? { path: [], code: '', message: 'mapping' }, value, place);
  }
  const { metadata, spec } = parsed.data;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    serviceAccount: accountOf(spec.template.serviceAccount),
    // As istioctl reads a file: the template's labels win (istiod facts 1.5).
    labels: { ...spec.metadata?.labels, ...spec.template.labels },
    annotations: spec.metadata?.annotations ?? {},
    ports: spec.template.ports ?? {},
    network: spec.template.network,
    locality: spec.template.locality,
    weight: spec.template.weight,
    probe: spec.probe === undefined ? undefined : probeOf(spec.probe, place),
  };
}

/** An empty account is the default one, as istioctl takes it. */
function accountOf(account = ''): string {
  return account === '' ? 'default' : account;
}

function probeOf({ httpGet, tcpSocket, exec, grpc, ...times }: NonNullable<RawGroup['spec']['probe']>, place: Place): ReadinessProbe {
  const handlers = [
    httpGet && { kind: 'httpGet' as const, ...httpGet },
    tcpSocket && { kind: 'tcpSocket' as const, ...tcpSocket },
    exec && { kind: 'exec' as const, ...exec },
    grpc && { kind: 'grpc' as const, ...grpc },
  ].filter((handler) => handler !== undefined);
  const [handler] = handlers;
  if (handler === undefined || handlers.length > 1)
    throw problemOf({ path: ['spec', 'probe'], code: 'custom', message: 'one-handler' }, { spec: { probe: presentKeys(handlers) } }, place);
  return { ...times, handler };
}

function presentKeys(handlers: readonly { readonly kind: keyof RawProbe }[]): string {
  return handlers.map(({ kind }) => kind).join(', ');
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly code: string;
  readonly message: string;
  readonly keys?: readonly string[];
}

function problemOf(issue: Issue, value: unknown, { document, lines, file, at }: Place): MeshError {
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys?.[0] : undefined;
  const path = unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
  const found = valueAt(value, path);
  const field = fieldName([...at, ...path]);
  const { line, col } = lines.linePos(offsetOf(document, [...at, ...path]));
  return invalid(file, field, line, col, ruleOf(issue, field, found, unknownKey));
}

function ruleOf(issue: Issue, field: string, value: unknown, unknownKey: string | undefined): Message {
  if (unknownKey !== undefined)
    return ruleText('unknown-key', field, shown(unknownKey), nearest(unknownKey, knownGroupKeys(issue.path)) ?? '');
  if (issue.code === 'invalid_key') return ruleText('qualified-name', field, shown(issue.path.at(-1)));
  if (value === undefined || value === null) return ruleText('required', field, '');
  const args = { field, value: shown(value) };
  switch (issue.message) {
    case 'group-kind':
      return message('cli.group.rule.kind', args);
    case 'template-address':
      return message('cli.group.rule.address', args);
    case 'one-handler':
      return message('cli.group.rule.one-handler', { field, value: typeof value === 'string' && value !== '' ? value : '-' });
    case 'whole-number':
      return message('cli.group.rule.whole-number', args);
    case 'scheme':
      return message('cli.group.rule.scheme', args);
    default:
      return ruleText(issue.message, field, shown(value));
  }
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined),
    root,
  );
}

/** Where a field stands in the text; its nearest parent where it is not written. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range[0] ?? 0;
}

function invalid(file: string, field: string, line: number, column: number, text: Message): MeshError {
  return new MeshError({
    code: 'group.invalid',
    kind: 'bad-input',
    userMessage: text,
    nextStep: message('cli.group.next', { file, line, column }),
    field,
  });
}
