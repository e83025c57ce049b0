import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { Client, ClientErrorExtensions } from 'ssh2';
import { isMeshError } from '../mesh/errors.ts';
import type { HostPrompter } from '../mesh/ports.ts';
import { algorithmsFor } from './algorithms.ts';
import { Authentication, isPassing } from './authentication.ts';
import { effectiveConfig, numberOf, option, type ConfigQuery, type EffectiveConfig } from './config/effective.ts';
import { judgeOptions } from './config/options.ts';
import { Connection } from './connection.ts';
import { connectLimit, dial } from './dial.ts';
import { errorText, hostError } from './errors.ts';
import { HostKeyPolicy, type TrustStore } from './hostKey.ts';
import { checkAlias } from './words.ts';

export interface ConnectOptions {
  readonly configFile?: string;
  readonly prompter: HostPrompter;
  readonly trustStore: TrustStore;
  readonly signal?: AbortSignal;
  /** Notes already given, so that a reconnection does not repeat them. */
  readonly noted: Set<string>;
}

const KEEPALIVE_SECONDS = 5;
const AUTH_LIMIT_MS = 30_000;
const MOST_JUMPS = 8;

/**
 * Connects and authenticates, through the jump hosts of the configuration, each by its own effective configuration.
 * Throws the connection errors of VmHost (ports.ts), `host.name`, `host.config`, `cancelled`.
 */
export async function connectTo(
  alias: string,
  options: ConnectOptions,
  override: Pick<ConfigQuery, 'user' | 'port'> = {},
  jumps = 0,
  through?: Connection,
): Promise<Connection> {
  const config = await effectiveConfig(alias, { configFile: options.configFile, signal: options.signal, ...override });
  for (const note of judgeOptions(config)) {
    const text = JSON.stringify(note);
    if (!options.noted.has(text)) options.prompter.note(note);
    options.noted.add(text);
  }
  const via = through ?? (await throughJumps(config, options, jumps));
  try {
    return await connectDirect(config, options, via);
  } catch (error) {
    via?.close();
    throw error;
  }
}

/** The last hop of ProxyJump; the first hop's own ProxyJump counts, later ones are reached from the hop before. */
async function throughJumps(config: EffectiveConfig, options: ConnectOptions, jumps: number): Promise<Connection | undefined> {
  const value = option(config, 'proxyjump');
  if (value === undefined) return undefined;
  let via: Connection | undefined;
  let depth = jumps;
  try {
    for (const hop of value.split(',')) {
      depth += 1;
      if (depth > MOST_JUMPS) throw hostError('host.option-unsupported', { host: config.alias, option: 'proxyjump', value });
      const { alias, ...override } = parseHop(hop.trim());
      via = await connectTo(alias, options, override, depth, via);
    }
  } catch (error) {
    // A hop that was reached before the one that cannot be: its connection would keep the program alive.
    via?.close();
    throw error;
  }
  return via;
}

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`. */
export function parseHop(hop: string): { readonly alias: string; readonly user?: string; readonly port?: number } {
  const match = /^(?:ssh:\/\/)?(?:(?<user>[^@]+)@)?(?:\[(?<six>[^\]]+)\]|(?<host>[^:@]+))(?::(?<port>\d+))?\/?$/.exec(hop);
  const { user, six, host, port } = match?.groups ?? {};
  const alias = checkAlias(six ?? host ?? hop);
  return { alias, ...(user === undefined ? {} : { user: checkAlias(user) }), ...(port === undefined ? {} : { port: Number(port) }) };
}

async function connectDirect(config: EffectiveConfig, options: ConnectOptions, via: Connection | undefined): Promise<Connection> {
  const policy = await HostKeyPolicy.load(config, options.trustStore);
  // At most twice: an unknown key ends the first connection, the second accepts exactly the key that was confirmed.
  for (let attempt = 0; ; attempt += 1) {
    const stream =
      via === undefined
        ? await dial(config, options.signal)
        : await via.forward(config.hostName, config.port, { limitMs: connectLimit(config), signal: options.signal });
    const address = 'remoteAddress' in stream && typeof stream.remoteAddress === 'string' ? stream.remoteAddress : config.hostName;
    try {
      const client = await handshake(config, options, policy, stream);
      policy.remember();
      return new Connection(client, { host: config.alias, user: config.user }, via);
    } catch (error) {
      stream.destroy();
      if (policy.unknownKey === undefined || attempt > 0) throw error;
      await policy.decide(options.prompter, address);
    }
  }
}

async function handshake(config: EffectiveConfig, options: ConnectOptions, policy: HostKeyPolicy, stream: Duplex): Promise<Client> {
  const authentication = await Authentication.prepare(config, options.prompter);
  const client = new ssh2.Client();
  const interval = numberOf(config, 'serveraliveinterval', 0);
  return new Promise((resolve, reject) => {
    let shaken = false;
    let limit = setTimeout(() => fail(linkError(`no SSH handshake in ${connectLimit(config) / 1000} s`)), connectLimit(config));
    const finish = (): void => {
      clearTimeout(limit);
      options.signal?.removeEventListener('abort', onAbort);
      client.removeAllListeners();
      // ssh2 may still report the end of what was given up.
      client.on('error', () => undefined);
    };
    const fail = (error: Error & ClientErrorExtensions): void => {
      finish();
      client.destroy();
      reject(connectError(config, error, policy, authentication, shaken));
    };
    const onAbort = (): void => fail(hostError('cancelled', { host: config.alias }, { text: 'cancelled.before' }));
    if (options.signal?.aborted === true) {
      onAbort();
      return;
    }
    options.signal?.addEventListener('abort', onAbort);
    client.on('handshake', () => {
      shaken = true;
      const watch = (): void => {
        clearTimeout(limit);
        limit = setTimeout(
          () => (authentication.asking ? watch() : fail(linkError(`no answer to authentication in ${AUTH_LIMIT_MS / 1000} s`))),
          AUTH_LIMIT_MS,
        );
      };
      watch();
    });
    client.on('error', (error) => {
      if (!isPassing(error)) fail(error);
    });
    // sshd tells whom it turns away, but for an account that PAM has closed.
    client.on('close', () => fail(linkError('connection closed by the server')));
    client.on('ready', () => {
      finish();
      resolve(client);
    });
    try {
      client.connect({
        sock: stream,
        username: config.user,
        hostVerifier: policy.verify,
        algorithms: algorithmsFor(config, policy.knownTypes),
        authHandler: authentication.handler,
        readyTimeout: 0,
        // A lost link must be noticed even where the configuration does not ask for it.
        keepaliveInterval: (interval === 0 ? KEEPALIVE_SECONDS : interval) * 1000,
        keepaliveCountMax: interval === 0 ? 3 : numberOf(config, 'serveralivecountmax', 3),
      });
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function connectError(
  config: EffectiveConfig,
  error: Error & ClientErrorExtensions,
  policy: HostKeyPolicy,
  authentication: Authentication,
  shaken: boolean,
): Error {
  if (policy.refusal !== undefined) return policy.refusal;
  if (isMeshError(error)) return error;
  const host = config.alias;
  if (policy.unknownKey !== undefined) return hostError('host.key-unknown', { host, fingerprint: '' });
  const text = errorText(error);
  if (!shaken) return hostError('host.unreachable', { host, address: `${config.hostName}:${config.port}`, text }, { cause: error });
  const { user } = config;
  // A link that was cut in this moment, or silent, is no refusal: it may be back at the next try.
  if (error.level === LINK) return hostError('host.unreachable', { host, user, text }, { text: 'unreachable.login', cause: error });
  const methods = authentication.serverAccepts.join(', ');
  return hostError('host.auth-failed', { host, user, methods, text }, { cause: error });
}

/** The level ssh2 gives to errors of the connection under it. */
const LINK = 'client-socket';

function linkError(text: string): Error & ClientErrorExtensions {
  return Object.assign(new Error(text), { level: LINK });
}
