/** What is neither printable ASCII nor a line's end is octal: \0 and three digits, as in POSIX. */
const WORDS = Array.from({ length: 256 }, (_, byte) => {
  const plain = byte === 10 || (byte >= 32 && byte < 127 && byte !== 39 && byte !== 92);
  return plain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`;
});

/**
 * Any bytes as one word of sh that `printf %b` turns back into them. A file then needs no process of its own at the other end, and its content is in no
 * argument list, for printf is part of the shell.
 */
export function octets(bytes: Uint8Array): string {
  return `'${Array.from(bytes, (byte) => WORDS[byte]).join('')}'`;
}
