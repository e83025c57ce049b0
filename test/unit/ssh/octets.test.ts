// Bytes as a word of sh: what real shells make of them again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { octets } from '../../../src/ssh/octets.ts';

describe('bytes in a word of sh', () => {
  const every = Array.from({ length: 256 }, (_, byte) => byte);
  // A digit after an escape must not be taken for a part of it.
  const texts: Record<string, Buffer> = {
    'every byte': Buffer.from(every),
    'every byte before a digit': Buffer.from(every.flatMap((byte) => [byte, 0x37])),
    'every byte twice, from the end': Buffer.from(every.reverse().flatMap((byte) => [byte, byte])),
    nothing: Buffer.alloc(0),
    'what looks like an escape': Buffer.from(String.raw`\0101 \c \n \\ %s %b '\'' $(id) ` + '`id`\n\n'),
    'a part of a larger buffer': Buffer.from('before é after').subarray(7, 9),
  };
  for (const shell of ['dash', 'bash'])
    for (const [name, bytes] of Object.entries(texts))
      it(`${name}: ${shell}`, () => {
        const printed = execFileSync(shell, { input: `printf %b ${octets(bytes)}`, env: { LC_ALL: 'C' } });
        assert.deepEqual([...printed], [...bytes]);
      });
});
