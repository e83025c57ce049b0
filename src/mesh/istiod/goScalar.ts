/** How Go's yaml.v2 orders keys and writes text: plain where it stays text, else quoted or as a block. */

const words = new Set([
  ...['y', 'yes', 'true', 'on', 'n', 'no', 'false', 'off', 'null'].flatMap((word) => [
    word,
    word.toUpperCase(),
    `${word.charAt(0).toUpperCase()}${word.slice(1)}`,
  ]),
  ...['', '~'],
  ...['.nan', '.NaN', '.NAN'],
  ...['', '+', '-'].flatMap((sign) => ['.inf', '.Inf', '.INF'].map((word) => `${sign}${word}`)),
]);
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const decimal = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const integer = /^[-+]?(0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)$/;
const date =
  /^\d{4}-(\d{1,2})-(\d{1,2})(?:$|[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?$)/;

/** A text in one line. */
export function scalar(text: string): string {
  if (text.includes('\n') || isSpecial(text) || resolvesToOther(text)) return doubleQuoted(text);
  return isPlain(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

/** What stands after `|` of a block; undefined where the text is written in one line. */
export function literalHint(text: string): string | undefined {
  if (!text.includes('\n') || isSpecial(text)) return undefined;
  // A blank at the end or before a line's end would be lost.
  if (text.endsWith(' ') || text.includes(' \n')) return undefined;
  const indent = /^[ \n]/.test(text) ? '2' : '';
  if (!text.endsWith('\n')) return `${indent}-`;
  return text === '\n' || text.endsWith('\n\n') ? `${indent}+` : indent;
}

/** A plain text that a reader would take for something else. */
function resolvesToOther(text: string): boolean {
  if (words.has(text)) return true;
  const bare = text.replaceAll('_', '');
  if (/^[-+0-9]/.test(text) && (integer.test(bare) || isDecimal(bare))) return true;
  return (text.startsWith('.') && isDecimal(text)) || isDate(text) || base60.test(text);
}

function isDecimal(text: string): boolean {
  return decimal.test(text) && Number.isFinite(Number(text));
}

function isDate(text: string): boolean {
  const [, month, day] = date.exec(text) ?? [];
  return month !== undefined && Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
}

function isPlain(text: string): boolean {
  if (/^[ #,[\]{}&*!|>'"%@`]/.test(text) || text.endsWith(' ')) return false;
  if (/^(---|\.\.\.)/.test(text) || /^[-?:](?=\s|$)/.test(text)) return false;
  return !/:(?=[ \t]|$)/.test(text) && !/[ \t]#/.test(text);
}

/** Characters that are only written as escapes: controls, and what lies beyond the basic plane. */
function isSpecial(text: string): boolean {
  return Array.from(text).some((character) => character !== '\n' && isEscaped(character));
}

function isEscaped(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  const printable = (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xfffd && !(code >= 0xd800 && code <= 0xdfff));
  return !printable || code === 0xfeff;
}

const short: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\x85': 'N',
  '\u2028': 'L',
  '\u2029': 'P',
};

function doubleQuoted(text: string): string {
  const written = Array.from(text).map((character) => {
    const letter = short[character];
    if (letter !== undefined) return `\\${letter}`;
    if (!isEscaped(character)) return character;
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
    if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
  return `"${written.join('')}"`;
}

/** Keys as a reader would sort them: letters after everything else, numbers by their value. */
export function byMappingKey(one: string, other: string): number {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [x = '', y = ''] = [a[index], b[index]];
    if (x !== y) return byCharacter(a, b, index);
  }
  return a.length - b.length;
}

function byCharacter(a: readonly string[], b: readonly string[], index: number): number {
  const [x = '', y = ''] = [a[index], b[index]];
  const [xIsLetter, yIsLetter] = [isLetter(x), isLetter(y)];
  const byCode = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  if (xIsLetter && yIsLetter) return byCode;
  if (xIsLetter || yIsLetter) return yIsLetter ? -1 : 1;
  const [m, n] = [digitsFrom(a, index), digitsFrom(b, index)];
  // A zero inside a number is part of its value, not of its beginning.
  const inside = (x === '0' || y === '0') && /[1-9]0*$/.test(a.slice(0, index).join(''));
  const valueOf = (digits: string): number => Number(`${inside ? '1' : '0'}${digits}`);
  return valueOf(m) - valueOf(n) || m.length - n.length || byCode;
}

function digitsFrom(characters: readonly string[], index: number): string {
  return /^\d*/.exec(characters.slice(index).join(''))?.[0] ?? '';
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}
