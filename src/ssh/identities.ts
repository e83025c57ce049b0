import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
import type { Secret } from '../mesh/secret.ts';
import { isOn, type EffectiveConfig } from './config/effective.ts';
import { expandPath } from './config/tokens.ts';

export type AskPassphrase = (path: string) => Promise<Secret | undefined>;

interface KeyFile {
  readonly path: string;
  readonly text: Buffer;
  /** Undefined where a passphrase is needed. */
  readonly open: ParsedKey | undefined;
  /** Undefined for an encrypted key in an old format without a .pub file beside it. */
  readonly publicKey: Buffer | undefined;
}

interface Offer {
  readonly key: ParsedKey;
  readonly signer: BaseAgent | KeyFile;
}

const TRIES = 3;

/** Keys to offer, in OpenSSH's order: agent keys that IdentityFile names, other agent keys (unless IdentitiesOnly), key files. */
export class Identities {
  readonly #offers: readonly Offer[];
  /** Key files whose public part cannot be read before their passphrase is known. */
  readonly locked: readonly string[];
  readonly #files: readonly KeyFile[];
  readonly #ask: AskPassphrase;

  private constructor(offers: readonly Offer[], files: readonly KeyFile[], ask: AskPassphrase) {
    this.#offers = offers;
    this.#files = files;
    this.#ask = ask;
    this.locked = files.filter((file) => file.publicKey === undefined).map((file) => file.path);
  }

  static async load(config: EffectiveConfig, ask: AskPassphrase): Promise<Identities> {
    const files = await readKeyFiles(config);
    const agent = openAgent(config);
    const agentKeys = agent === undefined ? [] : await listKeys(agent);
    const named = (key: ParsedKey): boolean => files.some((file) => file.publicKey?.equals(key.getPublicSSH()) === true);
    const fromAgent = [
      ...agentKeys.filter(named),
      ...(isOn(config, 'identitiesonly', false) ? [] : agentKeys.filter((key) => !named(key))),
    ];
    const offers: Offer[] = agent === undefined ? [] : fromAgent.map((key) => ({ key, signer: agent }));
    for (const file of files) {
      if (file.publicKey === undefined || fromAgent.some((key) => file.publicKey?.equals(key.getPublicSSH()))) continue;
      const key = parse(file.publicKey);
      if (key !== undefined && isPrivateKeyFile(file.text)) offers.push({ key, signer: file });
    }
    return new Identities(offers, files, ask);
  }

  /** An agent for ssh2 that offers all keys, and opens a key file (asking for its passphrase) only once the server wants that very key. */
  agent(): BaseAgent | undefined {
    return this.#offers.length === 0 ? undefined : new OfferingAgent(this.#offers, (file) => this.#unlock(file));
  }

  /** The private key of a locked file; undefined where the person gives no or no right passphrase. */
  async unlock(path: string): Promise<ParsedKey | undefined> {
    const file = this.#files.find((one) => one.path === path);
    return file === undefined ? undefined : this.#unlock(file);
  }

  async #unlock(file: KeyFile): Promise<ParsedKey | undefined> {
    if (file.open?.isPrivateKey() === true) return file.open;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const passphrase = await this.#ask(file.path);
      if (passphrase === undefined) return undefined;
      const key = parse(file.text, Buffer.from(passphrase.reveal()));
      if (key?.isPrivateKey() === true) return key;
    }
    return undefined;
  }
}

class OfferingAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #offers: readonly Offer[];
  readonly #unlock: (file: KeyFile) => Promise<ParsedKey | undefined>;

  constructor(offers: readonly Offer[], unlock: (file: KeyFile) => Promise<ParsedKey | undefined>) {
    super();
    this.#offers = offers;
    this.#unlock = unlock;
  }

  getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(
      null,
      this.#offers.map((offer) => offer.key),
    );
  }

  sign(key: ParsedKey, data: Buffer, optionsOrCallback: SigningRequestOptions | SignCallback, last?: SignCallback): void {
    const options = typeof optionsOrCallback === 'function' ? {} : optionsOrCallback;
    const callback = typeof optionsOrCallback === 'function' ? optionsOrCallback : last;
    const signer = this.#offers.find((offer) => offer.key === key)?.signer;
    if (signer === undefined || callback === undefined) {
      callback?.(new Error('not a key of this agent'));
    } else if ('getIdentities' in signer) {
      signer.sign(key, data, options, callback);
    } else {
      this.#unlock(signer).then(
        (privateKey) => {
          const signature = privateKey?.sign(data, options.hash);
          if (signature === undefined || signature instanceof Error) callback(signature ?? new Error('no passphrase'));
          else callback(null, signature);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    }
  }
}

async function readKeyFiles(config: EffectiveConfig): Promise<KeyFile[]> {
  const files: KeyFile[] = [];
  for (const value of config.options.get('identityfile') ?? defaultIdentities(config)) {
    if (value.toLowerCase() === 'none') continue;
    const path = expandPath(config, 'identityfile', value.replace(/^"|"$/g, ''));
    const text = await readFile(path).catch(() => undefined);
    if (text === undefined) continue;
    const open = parse(text);
    const publicKey = open?.getPublicSSH() ?? publicPartOfOpenSsh(text.toString('latin1')) ?? (await publicKeyBeside(path));
    if (publicKey !== undefined || isPrivateKeyFile(text)) files.push({ path, text, open, publicKey });
  }
  return files;
}

async function publicKeyBeside(path: string): Promise<Buffer | undefined> {
  const text = await readFile(`${path}.pub`).catch(() => undefined);
  return text === undefined ? undefined : parse(text)?.getPublicSSH();
}

function defaultIdentities(config: EffectiveConfig): string[] {
  return config.source === 'ssh' ? [] : ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519'];
}

/** IdentityAgent, else SSH_AUTH_SOCK, else on Windows the pipe of OpenSSH's agent. */
function openAgent(config: EffectiveConfig): BaseAgent | undefined {
  const value = config.options.get('identityagent')?.[0];
  if (value?.toLowerCase() === 'none') return undefined;
  const fallback = process.env.SSH_AUTH_SOCK ?? (process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : undefined);
  const variable = value?.startsWith('$') === true && !value.startsWith('${') ? process.env[value.slice(1)] : undefined;
  const socket = value === undefined || value === 'SSH_AUTH_SOCK' ? fallback : (variable ?? expandPath(config, 'identityagent', value));
  return socket === undefined || socket === '' ? undefined : ssh2.createAgent(socket);
}

/** Empty where the agent does not answer: OpenSSH goes on without it too. */
function listKeys(agent: BaseAgent): Promise<ParsedKey[]> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve([]), 3000);
    agent.getIdentities((error, keys) => {
      clearTimeout(limit);
      // Keys of a kind that ssh2 does not know (security keys) are left out.
      const list = error ? [] : (keys ?? []);
      resolve(
        list.flatMap((key) => (typeof key === 'string' || Buffer.isBuffer(key) ? (parse(key) ?? []) : 'getPublicSSH' in key ? [key] : [])),
      );
    });
  });
}

function isPrivateKeyFile(text: Buffer): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----|^PuTTY-User-Key-File/.test(text.toString('latin1'));
}

function parse(data: Buffer | string, passphrase?: Buffer): ParsedKey | undefined {
  const parsed: ParsedKey | ParsedKey[] | Error = ssh2.utils.parseKey(data, passphrase);
  if (parsed instanceof Error) return undefined;
  // OpenSSH's format may hold several keys, but OpenSSH writes one.
  return [parsed].flat()[0];
}

/** The public key that OpenSSH's own format keeps in clear text beside an encrypted private key (PROTOCOL.key). */
function publicPartOfOpenSsh(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64');
  let offset = 'openssh-key-v1\0'.length;
  const next = (): Buffer => {
    const length = bytes.readUInt32BE(offset);
    offset += 4 + length;
    return bytes.subarray(offset - length, offset);
  };
  try {
    next(); // cipher
    next(); // key derivation
    next(); // its options
    offset += 4; // number of keys: OpenSSH writes one
    return next();
  } catch {
    return undefined;
  }
}
