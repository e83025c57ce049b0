import { createHash, createHmac, randomBytes } from 'node:crypto';
import { matchesPatterns } from './patterns.ts';

/** One usable line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHost {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** Comma-separated patterns, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  /** The key, base64 without padding differences. */
  readonly key: string;
}

/** `host`: HostKeyAlias or the name that is dialled, without brackets; `port`: undefined with a HostKeyAlias. */
export interface HostName {
  readonly host: string;
  readonly port?: number;
}

export type HostKeyStatus = 'match' | 'mismatch' | 'revoked' | 'ca-only' | 'unknown';

export function parseKnownHosts(text: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const line of text.split(/\r?\n/)) {
    const fields = line.trim().split(/[ \t]+/);
    const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined;
    const [hosts, type, key] = fields;
    if (hosts === undefined || hosts.startsWith('#') || type === undefined || key === undefined) continue;
    if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') continue;
    entries.push({
      marker: marker === undefined ? 'none' : marker === '@revoked' ? 'revoked' : 'cert-authority',
      hosts,
      type,
      key: canonical(key),
    });
  }
  return entries;
}

/** The entries that speak of the host: files may hold thousands, and a hashed name costs a hash each time it is looked at. */
export function entriesFor(entries: readonly KnownHost[], name: HostName): KnownHost[] {
  const names = new Set([lookupName(name), name.host.toLowerCase()]);
  return entries.filter((entry) => [...names].some((one) => matchesHost(entry.hosts, one)));
}

/**
 * What the files say about a key that a server showed. A revoked key is refused whatever else is known; a key of the same type that differs
 * is a mismatch; a key of a type that is not known yet is unknown. With a port of its own, a key known under the plain name is a match too, as in OpenSSH.
 */
export function hostKeyStatus(entries: readonly KnownHost[], name: HostName, key: Uint8Array): HostKeyStatus {
  const withPort = statusUnder(entries, lookupName(name), key);
  if (withPort !== 'unknown' || name.port === undefined || name.port === 22) return withPort;
  const plain = statusUnder(entries, name.host.toLowerCase(), key);
  return plain === 'match' || plain === 'revoked' ? plain : 'unknown';
}

/** Types of the keys that are known (and not revoked) for the host, in file order. */
export function knownKeyTypes(entries: readonly KnownHost[], name: HostName): string[] {
  const names = [lookupName(name), name.host.toLowerCase()];
  return [
    ...new Set(
      entries.filter((entry) => entry.marker === 'none' && names.some((one) => matchesHost(entry.hosts, one))).map((entry) => entry.type),
    ),
  ];
}

/** The line that makes this key known; the name hashed when asked for, as with HashKnownHosts. */
export function knownHostsLine(name: HostName, key: Uint8Array, hashed: boolean): string {
  const plain = lookupName(name);
  return `${hashed ? hashName(plain, randomBytes(20)) : plain} ${keyType(key)} ${Buffer.from(key).toString('base64')}`;
}

/** `SHA256:...` as `ssh-keygen -lf` prints it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Type named in a public key blob (RFC 4253, 6.6); empty where it is not one. */
export function keyType(key: Uint8Array): string {
  return Buffer.from(readString(key, 0) ?? []).toString('latin1');
}

/** Bits of an RSA key's modulus; undefined for other types (RequiredRSASize). */
export function rsaBits(key: Uint8Array): number | undefined {
  if (keyType(key) !== 'ssh-rsa') return undefined;
  const exponent = readString(key, 11);
  const modulus = exponent === undefined ? undefined : readString(key, 15 + exponent.length);
  if (modulus === undefined) return 0;
  const first = modulus.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24;
}

function readString(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (bytes.length < offset + 4) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
  return bytes.length < offset + 4 + length ? undefined : bytes.subarray(offset + 4, offset + 4 + length);
}

function statusUnder(entries: readonly KnownHost[], name: string, key: Uint8Array): HostKeyStatus {
  const shown = canonical(Buffer.from(key).toString('base64'));
  const type = keyType(key);
  const matching = entries.filter((entry) => matchesHost(entry.hosts, name));
  if (matching.some((entry) => entry.marker === 'revoked' && entry.key === shown)) return 'revoked';
  const plain = matching.filter((entry) => entry.marker === 'none');
  if (plain.some((entry) => entry.key === shown)) return 'match';
  if (plain.some((entry) => entry.type === type)) return 'mismatch';
  return plain.length === 0 && matching.some((entry) => entry.marker === 'cert-authority') ? 'ca-only' : 'unknown';
}

/** The host as known_hosts and `ssh-keygen -R` name it. */
export function lookupName({ host, port }: HostName): string {
  const name = host.toLowerCase();
  return port === undefined || port === 22 ? name : `[${name}]:${port}`;
}

function matchesHost(hosts: string, name: string): boolean {
  return hosts.startsWith('|') ? matchesHash(hosts, name) : matchesPatterns(hosts.toLowerCase().split(','), name);
}

function matchesHash(hosts: string, name: string): boolean {
  const [, magic, salt, hash] = hosts.split('|');
  if (magic !== '1' || salt === undefined || hash === undefined) return false;
  return hashName(name, Buffer.from(salt, 'base64')) === `|1|${salt}|${hash}`;
}

function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

function canonical(base64: string): string {
  return base64.replace(/=+$/, '');
}
