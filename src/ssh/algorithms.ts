import { getCiphers } from 'node:crypto';
import type { Algorithms, CipherAlgorithm, CompressionAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import { isOn, option, type EffectiveConfig } from './config/effective.ts';
import { hostError } from './errors.ts';

// What ssh2 1.17 can do, in the order we prefer. Elliptic curves first: Electron's crypto lacks some DH groups.
const KEX: readonly KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
  'diffie-hellman-group14-sha1',
  'diffie-hellman-group-exchange-sha1',
  'diffie-hellman-group1-sha1',
];
const CIPHERS: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  ...(getCiphers().includes('chacha20') ? (['chacha20-poly1305@openssh.com'] as const) : []),
  'aes128-cbc',
  'aes192-cbc',
  'aes256-cbc',
];
const MACS: readonly MacAlgorithm[] = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha1-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
  'hmac-sha1',
];
const HOST_KEYS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
  'ssh-dss',
];
/** Weak ones of the lists above: used only where the configuration names them. */
const WEAK = new Set<string>([
  'diffie-hellman-group14-sha1',
  'diffie-hellman-group-exchange-sha1',
  'diffie-hellman-group1-sha1',
  'aes128-cbc',
  'aes192-cbc',
  'aes256-cbc',
  'ssh-rsa',
  'ssh-dss',
]);

/** Algorithms for a connection: what the configuration allows and ssh2 has, host keys of the known types first. Throws `host.option-unsupported` where nothing is left. */
export function algorithmsFor(config: EffectiveConfig, knownTypes: readonly string[]): Algorithms {
  const compress: CompressionAlgorithm[] = isOn(config, 'compression', false) ? ['zlib@openssh.com', 'zlib', 'none'] : ['none'];
  return {
    kex: allowed(config, 'kexalgorithms', KEX),
    cipher: allowed(config, 'ciphers', CIPHERS),
    hmac: allowed(config, 'macs', MACS),
    serverHostKey: knownFirst(allowed(config, 'hostkeyalgorithms', HOST_KEYS), knownTypes),
    compress,
  };
}

function allowed<T extends string>(config: EffectiveConfig, keyword: string, ours: readonly T[]): T[] {
  const value = option(config, keyword);
  // Without ssh -G the value may be a change to a default (+, -, ^) that only OpenSSH knows.
  if (value === undefined || (config.source === 'parser' && /^[+^-]/.test(value))) return ours.filter((name) => !WEAK.has(name));
  const names = new Set(value.split(','));
  const left = ours.filter((name) => names.has(name));
  if (left.length === 0) throw hostError('host.option-unsupported', { host: config.alias, option: keyword, value });
  return left;
}

function knownFirst(names: ServerHostKeyAlgorithm[], knownTypes: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = (name: string): boolean => knownTypes.includes(name.startsWith('rsa-sha2-') ? 'ssh-rsa' : name);
  return [...names.filter(known), ...names.filter((name) => !known(name))];
}
