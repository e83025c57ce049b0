/** Text as Go's standard library writes it, for files that are the same bytes as istioctl's (istiod facts 1.5, 1.6). */

/** Order of Go's `sort.Strings`: by bytes of UTF-8, which is by code points. */
export function byCodePoint(one: string, other: string): number {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index]?.codePointAt(0) ?? 0) - (b[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** JSON of a flat mapping: sorted keys, no blanks, and what HTML reads escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(sorted(value)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => byCodePoint(one, other)));
}

/**
 * A value of cluster.env as istioctl quotes it: its rule knows no letters but `w`, so nearly everything gets quotes (istiod facts 1.6).
 * The shell that reads it takes any text back out unchanged.
 */
export function quoted(value: string): string {
  if (value === '') return "''";
  return /[^\\w@%+=:,./-]/u.test(value) ? `'${value.replaceAll("'", `'"'"'`)}'` : value;
}
