import type { DebControl } from './debControl.ts';

const LEAD_BYTES = 96;
const TAGS = { name: 1000, version: 1001, release: 1002, epoch: 1003, architecture: 1022 } as const;
const INT32 = 4;
const STRING = 6;

export function isRpm(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString('hex') === 'edabeedb';
}

/** Reads name, version (`[epoch:]version-release`) and architecture from the bytes of a .rpm (RPM file format, version 3 lead and two headers). Throws Error with a short reason. */
export function readRpmHeader(bytes: Uint8Array): DebControl {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const signature = headerAt(buffer, LEAD_BYTES);
  // The signature's header is padded to eight bytes.
  const { entries } = headerAt(buffer, signature.end + ((8 - (signature.end % 8)) % 8));
  const field = (name: keyof typeof TAGS): string => {
    const value = entries.get(TAGS[name]);
    if (typeof value !== 'string' || !/^[A-Za-z0-9_][A-Za-z0-9_.+~^-]*$/.test(value)) throw new Error(`no valid ${name}`);
    return value;
  };
  const epoch = entries.get(TAGS.epoch);
  return {
    name: field('name'),
    version: `${typeof epoch === 'number' ? `${epoch}:` : ''}${field('version')}-${field('release')}`,
    architecture: field('architecture'),
  };
}

/** Strings and first numbers of a header structure: magic, entry count, size of its data, 16 bytes per entry, data. */
function headerAt(buffer: Buffer, at: number): { readonly entries: ReadonlyMap<number, string | number>; readonly end: number } {
  if (at + 16 > buffer.length || buffer.subarray(at, at + 4).toString('hex') !== '8eade801') throw new Error('a cut or damaged package');
  const count = buffer.readUInt32BE(at + 8);
  const size = buffer.readUInt32BE(at + 12);
  const data = at + 16 + count * 16;
  if (data + size > buffer.length) throw new Error('a cut or damaged package');
  const store = buffer.subarray(data, data + size);
  const entries = new Map<number, string | number>();
  for (let entry = at + 16; entry < data; entry += 16) {
    const [tag, type, offset] = [buffer.readUInt32BE(entry), buffer.readUInt32BE(entry + 4), buffer.readUInt32BE(entry + 8)];
    if (type === STRING && offset < size) entries.set(tag, store.subarray(offset, store.indexOf(0, offset)).toString('utf8'));
    if (type === INT32 && offset + 4 <= size) entries.set(tag, store.readUInt32BE(offset));
  }
  return { entries, end: data + size };
}
