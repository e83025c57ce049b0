import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { errorText, hostError } from './errors.ts';

/** A server that is alive answers a request for a channel at once. */
const CHANNEL_LIMIT_MS = 20_000;

interface ChannelRequest<T> {
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Asks the server; throws where the connection has ended. */
  readonly open: (opened: (error: Error | undefined, channel: T) => void) => void;
  /** The error of a channel that the server refuses. */
  readonly refused: (error: Error) => Error;
  /** What the time limit does. */
  readonly late: (fail: (error: Error) => void) => void;
}

/** One authenticated SSH connection, with the connections of its jump hosts. */
export class Connection {
  readonly host: string;
  readonly user: string;
  readonly #client: Client;
  readonly #via: Connection | undefined;
  #lost: Error | undefined;
  #closing = false;
  readonly #onLost = new Set<(error: Error) => void>();

  constructor(client: Client, names: { readonly host: string; readonly user: string }, via: Connection | undefined) {
    this.#client = client;
    this.host = names.host;
    this.user = names.user;
    this.#via = via;
    client.on('error', (error) => this.#lose(error));
    client.on('close', () => this.#lose(undefined));
  }

  get open(): boolean {
    return this.#lost === undefined && !this.#closing;
  }

  /** Calls back once when the connection ends, at once if it already has. Returns a function that forgets the callback. */
  whenLost(callback: (error: Error) => void): () => void {
    if (this.#lost !== undefined) callback(this.#lost);
    else this.#onLost.add(callback);
    return () => this.#onLost.delete(callback);
  }

  /**
   * Starts one remote command. Throws `host.lost`, also when the server says nothing in time (the connection is given up then),
   * `host.command` where it refuses the channel, `cancelled`.
   */
  exec(
    command: string,
    { limitMs = CHANNEL_LIMIT_MS, signal }: { readonly limitMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ClientChannel> {
    return this.#channel<ClientChannel>({
      limitMs,
      signal,
      open: (opened) => this.#client.exec(command, opened),
      refused: (error) => hostError('host.command', { host: this.host, text: errorText(error) }, { cause: error }),
      late: () => this.#lose(new Error(`no answer to a new channel in ${limitMs / 1000} s`)),
    });
  }

  /** A stream to an address that this host reaches (ProxyJump). Throws `host.unreachable`, also when this host says nothing in time, `host.lost`, `cancelled`. */
  forward(host: string, port: number, { limitMs, signal }: { readonly limitMs: number; readonly signal?: AbortSignal }): Promise<Duplex> {
    const unreachable = (text: string, cause?: unknown): Error =>
      hostError('host.unreachable', { host: `${host}:${port}`, text, via: this.host }, { text: 'unreachable.jump', cause });
    return this.#channel<Duplex>({
      limitMs,
      signal,
      open: (opened) => this.#client.forwardOut('127.0.0.1', 0, host, port, opened),
      refused: (error) => unreachable(errorText(error), error),
      late: (fail) => fail(unreachable(`no answer in ${limitMs / 1000} s`)),
    });
  }

  close(): void {
    this.#closing = true;
    this.#client.end();
    this.#via?.close();
  }

  /** Ends at once, without a word to the server. */
  destroy(): void {
    this.#closing = true;
    this.#client.destroy();
    this.#via?.destroy();
  }

  /** A channel, unless the connection ends, the time is over or the caller gives up first. Each of them is the end of it: a channel that comes later is closed. */
  #channel<T extends Duplex>({ limitMs, signal, open, refused, late }: ChannelRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const state = { over: false };
      const settle = (): void => {
        state.over = true;
        forget();
        clearTimeout(limit);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => fail(hostError('cancelled', { host: this.host }, { text: 'cancelled.before' }));
      const limit = setTimeout(() => late(fail), limitMs);
      let forget = (): void => undefined;
      forget = this.whenLost(fail);
      if (state.over) return;
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort);
      try {
        open((error, channel) => {
          if (state.over) {
            // Nobody waits for it any more.
            if (error === undefined) channel.destroy();
            return;
          }
          if (error !== undefined) fail(refused(error));
          else {
            settle();
            resolve(channel);
          }
        });
      } catch (error) {
        fail(this.#lostError(error));
      }
    });
  }

  #lose(error: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost = this.#lostError(error);
    for (const callback of this.#onLost) callback(this.#lost);
    this.#onLost.clear();
    this.#client.destroy();
    this.#via?.close();
  }

  #lostError(cause: unknown): Error {
    return hostError('host.lost', { host: this.host, text: cause === undefined ? '' : errorText(cause) }, { cause });
  }
}
