import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import xz from 'xz-decompress';

/** Fields of a package that the mesh needs (deb-control(5)). */
export interface DebControl {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** No control archive is larger; a bomb is. */
const CONTROL_LIMIT = 8 * 1024 * 1024;

/** Reads Package, Version and Architecture from the bytes of a .deb (deb(5)). Throws Error with a short reason where it is not one. */
export async function readDebControl(bytes: Uint8Array): Promise<DebControl> {
  const members = arMembers(bytes);
  if (!members.some((member) => member.name === 'debian-binary')) throw new Error('no debian-binary');
  const control = members.find((member) => member.name.startsWith('control.tar'));
  if (control === undefined) throw new Error('no control archive');
  const fields = controlFields(tarEntry(await unpack(control.name, control.bytes), 'control'));
  const field = (name: string): string => {
    const value = fields.get(name.toLowerCase());
    if (value === undefined || !/^[A-Za-z0-9][A-Za-z0-9.+:~-]*$/.test(value)) throw new Error(`no valid ${name}`);
    return value;
  };
  return { name: field('Package'), version: field('Version'), architecture: field('Architecture') };
}

/** Members of an ar(5) archive of the common format. */
function arMembers(bytes: Uint8Array): { readonly name: string; readonly bytes: Uint8Array }[] {
  const text = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (text(0, 8) !== '!<arch>\n') throw new Error('not an ar archive');
  const members: { name: string; bytes: Uint8Array }[] = [];
  for (let at = 8; at + 60 <= bytes.length;) {
    const size = Number(text(at + 48, at + 58).trim());
    if (!Number.isInteger(size) || size < 0 || text(at + 58, at + 60) !== '`\n' || at + 60 + size > bytes.length)
      throw new Error('a cut or damaged archive');
    members.push({
      name: text(at, at + 16)
        .trim()
        .replace(/\/$/, ''),
      bytes: bytes.subarray(at + 60, at + 60 + size),
    });
    at += 60 + size + (size % 2);
  }
  return members;
}

async function unpack(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (name.endsWith('.gz')) return gunzipSync(bytes, { maxOutputLength: CONTROL_LIMIT });
  if (name.endsWith('.zst')) return zstdDecompressSync(bytes, { maxOutputLength: CONTROL_LIMIT });
  if (name.endsWith('.xz')) return unxz(bytes);
  if (name === 'control.tar') return bytes;
  throw new Error(`unknown compression of ${name}`);
}

async function unxz(bytes: Uint8Array): Promise<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of new xz.XzReadableStream(source) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > CONTROL_LIMIT) throw new Error('control archive too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The text of one file of a tar archive (POSIX ustar), `./` ignored. */
function tarEntry(tar: Uint8Array, name: string): string {
  const text = (from: number, to: number): string => Buffer.from(tar.subarray(from, to)).toString('latin1').replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= tar.length;) {
    const entry = text(at, at + 100);
    const size = Number.parseInt(text(at + 124, at + 136).trim() || '0', 8);
    if (entry === '' || !Number.isInteger(size)) break;
    if (entry.replace(/^\.\//, '') === name) return Buffer.from(tar.subarray(at + 512, at + 512 + size)).toString('utf8');
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`no ${name} file`);
}

function controlFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z0-9-]+):\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) fields.set(match[1].toLowerCase(), match[2] ?? '');
  }
  return fields;
}
