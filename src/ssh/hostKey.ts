import { readFile } from 'node:fs/promises';
import { message } from '../mesh/messages.ts';
import type { HostPrompter } from '../mesh/ports.ts';
import { isOn, numberOf, option, type EffectiveConfig } from './config/effective.ts';
import { expandPath } from './config/tokens.ts';
import { hostError } from './errors.ts';
import {
  entriesFor,
  fingerprint,
  hostKeyStatus,
  keyType,
  knownHostsLine,
  knownKeyTypes,
  lookupName,
  parseKnownHosts,
  rsaBits,
  type HostName,
  type KnownHost,
} from './knownHosts.ts';
import { word } from './words.ts';

/** Host keys that a person accepted here: known_hosts lines. ~/.ssh/known_hosts is read, never written. */
export interface TrustStore {
  /** Where they lie, for whoever must take one away; undefined where the front end does that itself. */
  readonly file?: string;
  read(): string;
  append(line: string): void;
}

/** Keeps accepted keys as long as the object lives. */
export function memoryTrustStore(): TrustStore {
  let text = '';
  return { read: () => text, append: (line) => void (text += `${line}\n`) };
}

/** Judges the host keys of one destination. The verdict is given before authentication; a person is asked only after the connection is closed. */
export class HostKeyPolicy {
  readonly #config: EffectiveConfig;
  readonly #trust: TrustStore;
  readonly #entries: readonly KnownHost[];
  readonly #name: HostName;
  /** The key that was refused as unknown, to be asked about. */
  unknownKey: Uint8Array | undefined;
  /** Why the key was refused, when it is not merely unknown. */
  refusal: Error | undefined;
  #accepted: Uint8Array | undefined;

  private constructor(config: EffectiveConfig, trust: TrustStore, entries: readonly KnownHost[]) {
    this.#config = config;
    this.#trust = trust;
    const alias = option(config, 'hostkeyalias');
    this.#name = alias === undefined ? { host: config.hostName, port: config.port } : { host: alias };
    this.#entries = entriesFor(entries, this.#name);
  }

  static async load(config: EffectiveConfig, trust: TrustStore): Promise<HostKeyPolicy> {
    const user = config.options.get('userknownhostsfile') ?? ['~/.ssh/known_hosts ~/.ssh/known_hosts2'];
    const global = config.options.get('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'];
    const texts: string[] = [];
    for (const value of [...user, ...global].flatMap((line) => line.match(/"[^"]*"|\S+/g) ?? [])) {
      if (value.toLowerCase() === 'none') continue;
      const path = expandPath(config, 'userknownhostsfile', value.replace(/^"|"$/g, ''));
      texts.push(await readFile(path, 'utf8').catch(() => ''));
    }
    return new HostKeyPolicy(config, trust, parseKnownHosts([...texts, trust.read()].join('\n')));
  }

  get knownTypes(): readonly string[] {
    return knownKeyTypes(this.#entries, this.#name);
  }

  /** The verifier for ssh2: true accepts. Leaves the reason in `refusal` or `unknownKey`. */
  readonly verify = (key: Buffer): boolean => {
    if (this.#accepted !== undefined) {
      if (key.equals(this.#accepted)) return true;
      this.refusal = this.#error('host.key-changed', key);
      return false;
    }
    const bits = rsaBits(key);
    if (bits !== undefined && bits < numberOf(this.#config, 'requiredrsasize', 1024)) {
      this.refusal = hostError(
        'host.option-unsupported',
        { host: this.#config.alias, option: 'requiredrsasize', value: bits },
        { text: 'key-short' },
      );
      return false;
    }
    const status = hostKeyStatus(this.#entries, this.#name, key);
    if (status === 'match') return true;
    if (status === 'mismatch') this.refusal = this.#changed(key);
    else if (status === 'revoked') this.refusal = this.#error('host.key-revoked', key);
    else if (status === 'ca-only')
      this.refusal = hostError('host.option-unsupported', { host: this.#config.alias, option: '@cert-authority', value: this.#name.host });
    else this.unknownKey = Uint8Array.from(key);
    return false;
  };

  /** After the connection is closed: StrictHostKeyChecking, or the person, decides about the unknown key. Throws `host.key-unknown`. */
  async decide(prompter: HostPrompter, address: string): Promise<void> {
    const key = this.unknownKey;
    if (key === undefined) throw hostError('host.key-unknown', { host: this.#config.alias, fingerprint: '' });
    this.unknownKey = undefined;
    const strict = this.#config.options.get('stricthostkeychecking')?.[0]?.toLowerCase() ?? 'ask';
    const args = { host: this.#config.alias, keyType: keyType(key), fingerprint: fingerprint(key) };
    if (strict === 'yes' || strict === 'true') throw hostError('host.key-unknown', args);
    if (strict === 'accept-new' || strict === 'no' || strict === 'off' || strict === 'false') {
      prompter.note(message('ssh.note.key-accepted', { ...args, option: strict }));
    } else {
      if (this.knownTypes.length > 0) prompter.note(message('ssh.note.key-other-type', { ...args, known: this.knownTypes.join(', ') }));
      const question = { host: this.#config.alias, address, keyType: args.keyType, fingerprint: args.fingerprint };
      if (isOn(this.#config, 'batchmode', false) || !(await prompter.confirmHostKey(question))) throw hostError('host.key-unknown', args);
    }
    this.#accepted = key;
  }

  /** Remembers an accepted key once the server has proved that it holds it. */
  remember(): void {
    if (this.#accepted === undefined) return;
    this.#trust.append(knownHostsLine(this.#name, this.#accepted, isOn(this.#config, 'hashknownhosts', false)));
  }

  /** What must be done about it depends on who keeps the other key: ssh, or we. */
  #changed(key: Uint8Array): Error {
    const own = entriesFor(parseKnownHosts(this.#trust.read()), this.#name);
    if (hostKeyStatus(own, this.#name, key) !== 'mismatch') return this.#error('host.key-changed', key);
    const { file } = this.#trust;
    if (file === undefined) return this.#error('host.key-changed', key, 'key-changed-accepted');
    const command = `ssh-keygen -R ${word(lookupName(this.#name))} -f ${word(file)}`;
    return this.#error('host.key-changed', key, 'key-changed-kept', { command });
  }

  #error(code: string, key: Uint8Array, text?: string, more: Readonly<Record<string, string>> = {}): Error {
    return hostError(code, { host: this.#config.alias, keyType: keyType(key), fingerprint: fingerprint(key), ...more }, { text });
  }
}
