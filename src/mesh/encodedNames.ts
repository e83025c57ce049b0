/** Names as parts of URIs and folders. Apart from the rules of names.ts: the editor needs these at its start, and nothing else of them. */

/**
 * A name as one part of a URI path or one folder name: everything but letters, digits, `_` and `-` becomes `%XX` of its UTF-8 bytes, dots too where they lead,
 * so that the result is safe on Windows, is no `.` or `..`, and `decodeName` gives the name back.
 */
export function encodeName(name: string): string {
  // Of `..` both dots are encoded, of `.a` the first.
  const encoded = name.replace(/^\.+|[^A-Za-z0-9_.-]/gu, percent);
  // Windows drops a trailing dot, and keeps a few device names for itself.
  const ended = encoded.endsWith('.') ? `${encoded.slice(0, -1)}%2E` : encoded;
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(ended) ? `${percent(ended.charAt(0))}${ended.slice(1)}` : ended;
}

/** Undoes `encodeName`. Undefined where the text is not what `encodeName` writes. */
export function decodeName(encoded: string): string | undefined {
  try {
    const name = decodeURIComponent(encoded);
    return name !== '' && encodeName(name) === encoded ? name : undefined;
  } catch {
    return undefined;
  }
}

function percent(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
