import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { cancelled, isMeshError, type MeshError } from '../mesh/errors.ts';
import type { CallOptions } from '../mesh/ports.ts';
import { orAborted } from './abort.ts';
import type { Credentials, Dispatcher } from './credentials.ts';
import { connectionError, errorCode, notKubernetes, statusError, timeout, type Target } from './errors.ts';
import { parseJson } from './json.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute API path, its segments already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly target: Target;
}

export interface TransportOptions {
  readonly context: string;
  readonly server: string;
  readonly credentials: Credentials;
}

type Answer = Awaited<ReturnType<Dispatcher['request']>>;

const READ_LIMIT_MS = 15_000;
const WRITE_LIMIT_MS = 30_000;
const BUSY_TRIES = 4;
/** An API server ends an HTTP/2 connection with each 401 it answers: of as many requests at once, each is sent anew until it gets its own. */
const GOAWAY_TRIES = 16;
/** A stream on which not even a bookmark came for this long is a dead connection. */
const STREAM_SILENCE_MS = 150_000;

/**
 * JSON over one kept connection pool, with a time limit and an AbortSignal on every call. client-node's generated client has neither and drops
 * fields that it does not know; only its certificates, proxies and logins are used (credentials.ts).
 */
export class Transport {
  readonly context: string;
  readonly server: string;
  readonly #credentials: Credentials;
  readonly #base: URL;
  readonly #closing = new AbortController();

  constructor({ context, server, credentials }: TransportOptions) {
    this.context = context;
    this.server = server;
    this.#base = new URL(server);
    this.#credentials = credentials;
  }

  /** The JSON answer of a 2xx. Throws the errors of ClusterApi. */
  async json(request: ApiRequest, options: CallOptions = {}): Promise<unknown> {
    const limitMs = options.timeoutMs ?? (request.method === 'GET' ? READ_LIMIT_MS : WRITE_LIMIT_MS);
    return this.#limited(options.signal, limitMs, async (signal) => {
      const answer = await this.#send(request, signal);
      const text = await answer.body.text();
      const parsed = parseJson(text);
      if (answer.statusCode < 200 || answer.statusCode > 299)
        throw statusError(answer.statusCode, parsed ?? text, request.target, this.context, this.server);
      if (parsed === undefined) throw notKubernetes(this.context, this.server, answer.statusCode);
      return parsed;
    });
  }

  /** Hands over each JSON line of an endless answer until the server ends it; lines that are not JSON end it with an error. */
  async lines(request: ApiRequest, signal: AbortSignal, onLine: (value: unknown) => void): Promise<void> {
    // What the caller's own code throws is not a trouble of the connection.
    let thrown: { readonly error: unknown } | undefined;
    const guarded = (value: unknown) => {
      try {
        onLine(value);
      } catch (error) {
        thrown = { error };
        throw error;
      }
    };
    const reading = this.#limited(signal, undefined, async (all) => {
      const answer = await this.#limitedOpen(request, all);
      if (answer.statusCode !== 200) {
        const text = await answer.body.text();
        throw statusError(answer.statusCode, parseJson(text) ?? text, request.target, this.context, this.server);
      }
      const reader = createInterface({ input: answer.body, crlfDelay: Infinity });
      // Both report a broken connection, also when nobody reads any more; unheard, that would end the process.
      const failed = Promise.withResolvers<never>();
      answer.body.on('error', failed.reject);
      reader.on('error', failed.reject);
      try {
        await Promise.race([failed.promise, readLines(reader, guarded, () => notKubernetes(this.context, this.server, answer.statusCode))]);
      } finally {
        reader.close();
        answer.body.destroy();
      }
    });
    try {
      await reading;
    } catch (error) {
      throw thrown === undefined ? error : thrown.error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#credentials.close();
  }

  async #limitedOpen(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(timeout(this.context, this.server, READ_LIMIT_MS)), READ_LIMIT_MS);
    try {
      return await this.#send(request, AbortSignal.any([signal, limit.signal]));
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #limited<T>(outer: AbortSignal | undefined, limitMs: number | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const timer = limitMs === undefined ? undefined : setTimeout(() => limit.abort(), limitMs);
    const signal = AbortSignal.any([limit.signal, this.#closing.signal, ...(outer === undefined ? [] : [outer])]);
    try {
      signal.throwIfAborted();
      // undici notices an abort only once it is connected.
      return await orAborted(work(signal), signal);
    } catch (error) {
      throw this.#named(error, { outer, limit: limit.signal, limitMs });
    } finally {
      clearTimeout(timer);
    }
  }

  #named(
    error: unknown,
    { outer, limit, limitMs }: { outer: AbortSignal | undefined; limit: AbortSignal; limitMs: number | undefined },
  ): MeshError {
    if (outer?.aborted === true || this.#closing.signal.aborted) return cancelled(error);
    if (limit.aborted) return timeout(this.context, this.server, limitMs, error);
    return isMeshError(error) ? error : connectionError(error, this.context, this.server, this.#credentials.proxy);
  }

  /**
   * One answer; asks again after a 401 with a new credential, after 429 and a polite 503, once for a read whose kept connection had gone, and for one that the
   * server did not take because it ends the connection.
   */
  async #send(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    let refreshed = false;
    let reconnected = false;
    let turnedAway = 0;
    for (let tries = 1; ; tries += 1) {
      let answer: Answer;
      try {
        answer = await this.#once(request, signal);
      } catch (error) {
        if (isGoAway(error) && request.method === 'GET' && !signal.aborted && (turnedAway += 1) < GOAWAY_TRIES) continue;
        const stale = errorCode(error) === 'UND_ERR_SOCKET' || errorCode(error) === 'ECONNRESET';
        if (!stale || reconnected || request.method !== 'GET' || signal.aborted) throw error;
        reconnected = true;
        continue;
      }
      const wait = retryAfter(answer);
      if (answer.statusCode === 401 && !refreshed && this.#credentials.refresh()) refreshed = true;
      else if (wait !== undefined && tries < BUSY_TRIES) await sleep(wait, undefined, { signal });
      else return answer;
      await answer.body.dump();
    }
  }

  async #once({ method, path, query = {}, body, contentType = 'application/json' }: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const session = await this.#credentials.session(signal);
    const search = new URLSearchParams(
      Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ).toString();
    return session.dispatcher.request({
      origin: this.#base.origin,
      path: `${this.#base.pathname.replace(/\/$/, '')}${path}${search === '' ? '' : `?${search}`}`,
      method,
      headers: {
        ...session.headers,
        accept: 'application/json',
        'user-agent': 'mesh-expansion',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      bodyTimeout: STREAM_SILENCE_MS,
      signal,
    });
  }
}

async function readLines(reader: AsyncIterable<string>, onLine: (value: unknown) => void, broken: () => MeshError): Promise<void> {
  for await (const line of reader) {
    if (line === '') continue;
    const value = parseJson(line);
    if (value === undefined) throw broken();
    onLine(value);
  }
}

function isGoAway(error: unknown): boolean {
  return errorCode(error) === 'UND_ERR_INFO' && error instanceof Error && error.message.includes('GOAWAY');
}

/** Milliseconds that a busy API server asks to wait (API priority and fairness), at most 5 s. */
function retryAfter(answer: Answer): number | undefined {
  const header = answer.headers['retry-after'];
  if (typeof header !== 'string' || (answer.statusCode !== 429 && answer.statusCode !== 503)) return undefined;
  const seconds = Number(header);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0.2), 5) * 1000 : undefined;
}
