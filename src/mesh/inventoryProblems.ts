import { MeshError } from './errors.ts';
import { message, type Message } from './messages.ts';

/** A place in the text of mesh-expansion.yaml. Lines and columns count from 1, as editors show them; the end is exclusive. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** One thing that is wrong in the inventory. */
export interface InventoryProblem {
  /** As the user writes it: `vms[0].inboundPorts[1]`; empty for the whole document. */
  readonly field: string;
  /** Name of the broken rule, e.g. `port`. */
  readonly rule: string;
  /** The value as text, cut to 80 characters; empty where it is missing. */
  readonly value: string;
  readonly text: Message;
  readonly position: Position;
}

/**
 * `inventory.invalid` (kind bad-input): carries every problem. Its own text is the first one's, but that of an unknown key before all: a misspelled key makes
 * the right one missing. Nothing of such an inventory is used.
 */
export class InventoryError extends MeshError {
  readonly problems: readonly InventoryProblem[];

  constructor(problems: readonly [InventoryProblem, ...InventoryProblem[]], file = 'mesh-expansion.yaml') {
    const first = problems.find(({ rule }) => rule === 'unknown-key') ?? problems[0];
    super({
      code: 'inventory.invalid',
      kind: 'bad-input',
      userMessage: first.text,
      nextStep: message('inventory.invalid.next', {
        file,
        line: first.position.line,
        column: first.position.column,
        count: problems.length,
      }),
      field: first.field,
    });
    this.problems = problems;
  }
}

/** Problems of an `inventory.invalid` error of any bundle; empty for any other error. */
export function problemsOf(error: unknown): readonly InventoryProblem[] {
  return error instanceof Object &&
    'code' in error &&
    error.code === 'inventory.invalid' &&
    'problems' in error &&
    Array.isArray(error.problems)
    ? (error.problems as InventoryProblem[])
    : [];
}

type RuleText = (args: { field: string; value: string; other: string }) => Message;

/** What each rule asks for, in words. `other` is what the rule compares with: the known names, the nearest key. */
const ruleTexts: Readonly<Record<string, RuleText>> = {
  yaml: ({ value }) => message('inventory.rule.yaml', { text: value }),
  required: ({ field }) => message('inventory.rule.required', { field }),
  'unknown-key': ({ field, value, other }) =>
    other === ''
      ? message('inventory.rule.unknown-key', { field, key: value })
      : message('inventory.rule.unknown-key-nearest', { field, key: value, nearest: other }),
  version: ({ field, value }) => message('inventory.rule.version', { field, value }),
  mapping: ({ field }) => (field === '' ? message('inventory.rule.mapping-whole') : message('inventory.rule.mapping', { field })),
  list: ({ field, value }) => message('inventory.rule.list', { field, value }),
  'list-empty': ({ field }) => message('inventory.rule.list-empty', { field }),
  string: ({ field, value }) => message('inventory.rule.string', { field, value }),
  boolean: ({ field, value }) => message('inventory.rule.boolean', { field, value }),
  port: ({ field, value }) => message('inventory.rule.port', { field, value }),
  ports: ({ field, value }) => message('inventory.rule.ports', { field, value }),
  cidr: ({ field, value }) => message('inventory.rule.cidr', { field, value }),
  release: ({ field, value }) => message('inventory.rule.release', { field, value }),
  'machine-address': ({ field, value }) => message('inventory.rule.machine-address', { field, value }),
  'address-or-name': ({ field, value }) => message('inventory.rule.address-or-name', { field, value }),
  'host-alias': ({ field, value }) => message('inventory.rule.host-alias', { field, value }),
  'cluster-name': ({ field, value }) => message('inventory.rule.cluster-name', { field, value }),
  'dns-label': ({ field, value }) => message('inventory.rule.dns-label', { field, value }),
  'dns-subdomain': ({ field, value }) => message('inventory.rule.dns-subdomain', { field, value }),
  'service-name': ({ field, value }) => message('inventory.rule.service-name', { field, value }),
  'service-reference': ({ field, value }) => message('inventory.rule.service-reference', { field, value }),
  'qualified-name': ({ field, value }) => message('inventory.rule.qualified-name', { field, value }),
  'label-value': ({ field, value }) => message('inventory.rule.label-value', { field, value }),
  'plain-text': ({ field, value }) => message('inventory.rule.plain-text', { field, value }),
  'control-plane-auth': ({ field, value }) => message('inventory.rule.control-plane-auth', { field, value }),
  'gateway-hostname': ({ field, value }) => message('inventory.rule.gateway-hostname', { field, value }),
  provider: ({ field, value }) => message('inventory.rule.provider', { field, value }),
  protocol: ({ field, value }) => message('inventory.rule.protocol', { field, value }),
  unique: ({ field, value, other }) => message('inventory.rule.unique', { field, value, other }),
  'unknown-cluster': ({ field, value, other }) => message('inventory.rule.unknown-cluster', { field, value, known: other }),
  'unknown-vm': ({ field, value, other }) => message('inventory.rule.unknown-vm', { field, value, known: other }),
  'other-cluster': ({ field, value, other }) => message('inventory.rule.other-cluster', { field, value, cluster: other }),
};

/** Text of a broken rule. */
export function ruleText(rule: string, field: string, value: string, other = ''): Message {
  const text = ruleTexts[rule];
  return text === undefined ? message('inventory.rule.other', { field, value, rule }) : text({ field, value, other });
}

/** A path of keys and indexes as the user writes it: `vms[0].address`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = String(part);
    return /^[A-Za-z_][\w-]*$/.test(key) ? (text === '' ? key : `${text}.${key}`) : `${text}[${JSON.stringify(key)}]`;
  }, '');
}

/** JSON of a value; an anchor that holds itself has none. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '…';
  }
}

/** A value as text for a message: control characters shown as escapes, cut to 80 characters. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = written(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
