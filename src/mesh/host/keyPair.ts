import type { X509Certificate } from 'node:crypto';
import { parseCertificates, publicKeyPem } from '../pem.ts';
import type { CommandOutput, HostCommand, HostState } from '../ports.ts';
import { fileOf } from './hostState.ts';

/** A certificate on the machine and the key beside it: of the key only the public half is ever read, and it never leaves the machine. */

export interface KeyPair {
  /** The first certificate of the chain; undefined where there is none that can be read. */
  readonly leaf?: X509Certificate;
  /** `unseen`: the machine has no openssl to look with. */
  readonly key: 'fits' | 'other' | 'unreadable' | 'unseen';
}

export function keyPairCommand(chain: string, key: string): HostCommand {
  return { argv: ['sh', '-c', 'cat -- "$1"; openssl pkey -in "$2" -passin pass: -pubout', 'sh', chain, key], asRoot: true };
}

export function readKeyPair({ stdout, exitCode }: CommandOutput): KeyPair {
  const leaf = firstCertificate(stdout);
  if (exitCode === 127) return { leaf, key: 'unseen' };
  const printed = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/.exec(stdout)?.[0];
  const own = printed === undefined ? undefined : publicKeyPem(printed);
  if (own === undefined) return { leaf, key: 'unreadable' };
  return { leaf, key: leaf === undefined || own === publicKeyPem(leaf.publicKey) ? 'fits' : 'other' };
}

/** Whether the two belong together as the probe saw them; undefined where it did not see both. */
export function pairFits(state: HostState, chain: string, key: string): boolean | undefined {
  const wanted = fileOf(state, chain)?.certificate?.publicKey;
  const found = fileOf(state, key)?.certificate?.fingerprint;
  return wanted === undefined || found === undefined ? undefined : wanted === found;
}

function firstCertificate(pem: string): X509Certificate | undefined {
  try {
    return parseCertificates(pem)[0];
  } catch {
    return undefined;
  }
}
