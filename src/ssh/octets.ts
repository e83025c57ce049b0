/** What is neither printable ASCII nor a line's end, and what a word in single quotes or printf's %b takes for something else. */
const OTHER = /[^\n\x20-\x26\x28-\x5b\x5d-\x7e]/g;

/**
 * Any bytes as one word of sh that `printf %b` turns back into them: others are octal, \0 and three digits, as in POSIX. A file then needs no process of
 * its own at the other end, and its content is in no argument list, for printf is part of the shell.
 */
export function octets(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return `'${text.replace(OTHER, (other) => `\\0${other.charCodeAt(0).toString(8).padStart(3, '0')}`)}'`;
}
