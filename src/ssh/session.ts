import { setTimeout as sleep } from 'node:timers/promises';
import { isMeshError } from '../mesh/errors.ts';
import type { CallOptions, HostFacts } from '../mesh/ports.ts';
import type { Secret } from '../mesh/secret.ts';
import { connectTo, type ConnectOptions } from './connect.ts';
import type { Connection } from './connection.ts';
import { hostError } from './errors.ts';
import { RemoteShell, ShellFailed } from './shell.ts';
import { scriptError } from './scriptError.ts';

export interface ShellCall extends CallOptions {
  readonly root: boolean;
  /** Milliseconds when the caller names none. */
  readonly limitMs: number;
}

/** How long a machine that was lost may stay out of reach. */
const RETURN_MS = 15_000;
const RECONNECT_MS = 4000;

const STOP = (pid: number): string => `
kill -TERM -${pid} 2>/dev/null
i=0
while kill -0 -${pid} 2>/dev/null; do
  i=$((i + 1))
  [ $i -eq 9 ] && kill -KILL -${pid} 2>/dev/null
  [ $i -gt 14 ] && break
  sleep 0.1
done
if kill -0 -${pid} 2>/dev/null; then echo alive; else echo gone; fi`;

/** One machine's connection, made anew when it was lost, and the shells that work over it. */
export class HostSession {
  readonly alias: string;
  readonly #options: ConnectOptions;
  #connection: Promise<Connection> | undefined;
  #connected = false;
  #closed = false;
  #password: Promise<Secret | undefined> | undefined;

  constructor(alias: string, options: ConnectOptions) {
    this.alias = alias;
    this.#options = options;
  }

  /** The open connection, or a new one; callers at the same time share it. Throws the connection errors of VmHost. */
  async connect(signal?: AbortSignal): Promise<Connection> {
    for (;;) {
      if (this.#closed) throw hostError('cancelled', { host: this.alias }, { text: 'cancelled.before' });
      const shared = this.#connection;
      if (shared === undefined) break;
      const current = await shared.catch(() => undefined);
      if (current?.open === true) return current;
      if (this.#connection === shared) this.#connection = undefined;
    }
    const dial = (): Promise<Connection> => connectTo(this.alias, { ...this.#options, signal });
    // A machine that was there a moment ago gets a moment to come back.
    const next = this.#connected ? this.afterLoss(dial, signal, RECONNECT_MS) : dial();
    this.#connection = next;
    const connection = await next;
    this.#connected = true;
    return connection;
  }

  /** How the root shells of this session came to be root; undefined before the first one. */
  sudo: HostFacts['sudo'] | undefined;

  /**
   * Runs work in a remote shell of its own. An abort or the time limit stops the remote processes (TERM, then KILL, over a second channel) before this rejects.
   * Throws `cancelled`, `host.timeout`, `host.lost`, sudo's errors, and what scriptError makes of a script's failure.
   */
  async withShell<T>(call: ShellCall, work: (shell: RemoteShell) => Promise<T>): Promise<T> {
    if (isAborted(call.signal)) throw hostError('cancelled', { host: this.alias }, { text: 'cancelled.before' });
    const connection = await this.connect(call.signal);
    const shell = await this.#open(connection, call.root, call.signal);
    const limitMs = call.timeoutMs ?? call.limitMs;
    const interruption: { error?: Error; stopping?: Promise<void> } = {};
    const interrupt = (error: Error): void => {
      interruption.error ??= error;
      interruption.stopping ??= this.#stop(connection, call.root, shell);
    };
    const onAbort = (): void => interrupt(hostError('cancelled', { host: this.alias }));
    const limit = setTimeout(() => interrupt(hostError('host.timeout', { host: this.alias, seconds: limitMs / 1000 })), limitMs);
    call.signal?.addEventListener('abort', onAbort);
    // The signal may have been aborted while the shell was opened.
    if (isAborted(call.signal)) onAbort();
    try {
      const result = await work(shell);
      if (interruption.error === undefined) return result;
    } catch (error) {
      if (interruption.error === undefined) {
        // The other end holds a lock until its shell has ended.
        await shell.end();
        throw error instanceof ShellFailed ? scriptError(this.alias, error.end) : error;
      }
    } finally {
      clearTimeout(limit);
      call.signal?.removeEventListener('abort', onAbort);
      await interruption.stopping;
    }
    throw interruption.error;
  }

  /** The same, once more over a new connection where the first was lost: only for work that is safe to repeat. */
  async withShellRetried<T>(call: ShellCall, work: (shell: RemoteShell) => Promise<T>): Promise<T> {
    try {
      return await this.withShell(call, work);
    } catch (error) {
      if (!isMeshError(error, 'host.lost')) throw error;
      return this.afterLoss(() => this.withShell(call, work), call.signal);
    }
  }

  /** Runs work once the machine can be reached again: a restarting sshd refuses connections for a moment, a cut link for longer. */
  async afterLoss<T>(work: () => Promise<T>, signal: AbortSignal | undefined, waitMs = RETURN_MS): Promise<T> {
    const deadline = Date.now() + waitMs;
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const away = isMeshError(error, 'host.unreachable') || (isMeshError(error, 'host.lost') && error.userMessage.id === 'ssh.lost');
        // A try that met a machine in the middle of its change may have waited all that time for an answer.
        if (!away || (Date.now() > deadline && tries > 1)) throw error;
        await sleep(500, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    this.#password = undefined;
    connection?.close();
  }

  async #open(connection: Connection, root: boolean, signal: AbortSignal | undefined): Promise<RemoteShell> {
    if (!root) return RemoteShell.open(connection, false, signal);
    const asked = { times: 0 };
    const password = (attempt: number): Promise<Uint8Array | undefined> => {
      asked.times = attempt;
      return this.#sudoPassword(attempt);
    };
    const shell = await RemoteShell.open(connection, { password }, signal);
    this.sudo = connection.user === 'root' ? 'root' : asked.times > 0 ? 'password' : 'passwordless';
    return shell;
  }

  /** The password that worked before, else the person's; shells that open at the same time ask once. A wrong one is forgotten. */
  async #sudoPassword(attempt: number): Promise<Uint8Array | undefined> {
    if (attempt > 1) this.#password = undefined;
    this.#password ??= this.#options.prompter.secret({ kind: 'sudo', host: this.alias, prompt: '', echo: false });
    const password = await this.#password;
    if (password === undefined) this.#password = undefined;
    return password?.reveal();
  }

  async #stop(connection: Connection, root: boolean, shell: RemoteShell): Promise<void> {
    try {
      const killer = await this.#open(connection, root, undefined);
      const lines = await killer.ask(STOP(shell.pid));
      await killer.finish();
      if (!lines.includes('gone')) throw hostError('host.command', { host: this.alias, text: `process group ${shell.pid} does not end` });
      shell.abandon(hostError('cancelled', { host: this.alias }));
    } catch (error) {
      shell.abandon(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
