import type { LineCounter, YAMLParseError } from 'yaml';

/** Where a text stops being YAML, and why in the parser's terms: never its own message, which quotes the line, and that may hold a token or a key. */
export function yamlProblem(error: Pick<YAMLParseError, 'code' | 'pos'>, lines: LineCounter): string {
  const { line, col } = lines.linePos(error.pos[0]);
  return `${line}:${col} ${error.code.toLowerCase().replaceAll('_', ' ')}`;
}
