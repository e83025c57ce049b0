// One gRPC call with curl: IstioCAService/HandleCSR of Citadel. The messages are put together here by hand, not by the code under test.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../toolchain/run.ts';
import type { Material } from './support.ts';

export interface CsrAnswer {
  /** gRPC status code as a decimal number; empty when there was no answer. */
  status: string;
  message: string;
  /** File with the signed certificate; of use only with status 0. */
  certificate: string;
}

/** Asks for a certificate of this identity and life, with a fresh key, as who has this key and chain; without them, as nobody. */
export async function callHandleCsr(
  address: string,
  caller: Pick<Material, 'root'> & Partial<Material>,
  wanted: { identity: string; minutes: number },
  directory: string,
): Promise<CsrAnswer> {
  const file = (name: string) => path.join(directory, name);
  await run([
    'openssl',
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/',
    '-addext',
    `subjectAltName=critical,URI:${wanted.identity}`,
    '-keyout',
    file('csr.key'),
    '-out',
    file('csr.pem'),
  ]);
  const csr = await readFile(file('csr.pem'));
  const message = Buffer.concat([field(1, csr), field(3, Buffer.from('onprem')), Buffer.from([0x20, ...varint(wanted.minutes)])]);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  await writeFile(file('request'), Buffer.concat([header, message]));
  await writeFile(file('answer'), '');
  const identity = caller.chain && caller.key ? ['--cert', caller.chain, '--key', caller.key] : [];
  const { stdout } = await run(
    [
      'curl',
      '-sS',
      '--max-time',
      '10',
      '--http2',
      '--cacert',
      caller.root,
      ...identity,
      '--connect-to',
      `::${address}:`,
      '-H',
      'content-type: application/grpc',
      '-H',
      'te: trailers',
      '--data-binary',
      `@${file('request')}`,
      '-D',
      '-',
      '-o',
      file('answer'),
      'https://istio-citadel:8060/istio.v1.auth.IstioCAService/HandleCSR',
    ],
    { tolerant: true },
  );
  const trailer = (name: string) => new RegExp(`^${name}: (.*?)\\r?$`, 'mi').exec(stdout)?.[1] ?? '';
  // The answer's fields are skipped: the certificate is the one PEM in it.
  const pem =
    /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/.exec((await readFile(file('answer'))).toString('latin1'))?.[0] ?? '';
  await writeFile(file('signed.pem'), pem);
  return { status: trailer('grpc-status'), message: decodeURIComponent(trailer('grpc-message')), certificate: file('signed.pem') };
}

function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(value.length)]), value]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
