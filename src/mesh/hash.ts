import { createHash } from 'node:crypto';

/** SHA-256 in lower-case hex, of UTF-8 where the content is text. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
