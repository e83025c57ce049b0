import { byMappingKey, literalHint, scalar } from './goScalar.ts';

/** YAML as Go's yaml.v2 writes it, in the few shapes that a proxy configuration has: istioctl writes mesh.yaml with it (istiod facts 1.5). */

/** A line of the text, and the field it belongs to, e.g. `['defaultConfig', 'proxyMetadata', 'TRUST_DOMAIN']`. */
export interface YamlLine {
  readonly text: string;
  readonly path: readonly string[];
}

/** Lines of a mapping; values that are undefined are left out. */
export function yamlLines(value: Readonly<Record<string, unknown>>): readonly YamlLine[] {
  return mappingLines(value, 0, []);
}

function mappingLines(value: Readonly<Record<string, unknown>>, indent: number, path: readonly string[]): readonly YamlLine[] {
  return Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort(byMappingKey)
    .flatMap((key) => entryLines(`${' '.repeat(indent)}${scalar(key)}:`, value[key], indent, [...path, key]));
}

/** A key, or the `-` of a list, and its value. Lists of a mapping stand as deep as their key. */
function entryLines(head: string, value: unknown, indent: number, path: readonly string[]): readonly YamlLine[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [{ text: `${head} []`, path }];
    return [{ text: head, path }, ...(value as readonly unknown[]).flatMap((item) => itemLines(item, indent, path))];
  }
  if (isMapping(value)) {
    if (Object.keys(value).length === 0) return [{ text: `${head} {}`, path }];
    return [{ text: head, path }, ...mappingLines(value, indent + 2, path)];
  }
  return scalarLines(head, value, indent, path);
}

function itemLines(item: unknown, indent: number, path: readonly string[]): readonly YamlLine[] {
  const dash = `${' '.repeat(indent)}-`;
  if (isMapping(item) && Object.keys(item).length > 0) {
    // The first key stands beside the dash.
    const [first, ...rest] = mappingLines(item, indent + 2, path);
    return first === undefined ? [] : [{ text: `${dash} ${first.text.slice(indent + 2)}`, path: first.path }, ...rest];
  }
  return entryLines(dash, item, indent, path);
}

function scalarLines(head: string, value: unknown, indent: number, path: readonly string[]): readonly YamlLine[] {
  const hint = typeof value === 'string' ? literalHint(value) : undefined;
  if (typeof value !== 'string' || hint === undefined) return [{ text: `${head} ${plain(value)}`, path }];
  // A block: each line of it indented, empty ones left empty.
  const block = value.replace(/\n$/, '').split('\n');
  return [
    { text: `${head} |${hint}`, path },
    ...block.map((line) => ({ text: line === '' ? '' : `${' '.repeat(indent + 2)}${line}`, path })),
  ];
}

function plain(value: unknown): string {
  if (typeof value === 'string') return scalar(value);
  if (typeof value === 'number') return goNumber(value);
  return typeof value === 'boolean' ? String(value) : 'null';
}

/** Go prints an exponent with two digits, and prefers one from 21 digits on. */
function goNumber(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
