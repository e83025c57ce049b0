import type { ClientChannel } from 'ssh2';
import type { Connection } from './connection.ts';
import { hostError } from './errors.ts';
import { started, type ShellPrompts } from './shellStart.ts';

/**
 * The one command line that is ever sent: fixed words and one random token. What is to be done and every value in it arrives on stdin, so neither
 * the user's login shell nor `ps` nor sudo's log sees it. Each part is a length, then that many bytes of sh that end with the token (a part cut off
 * by a lost connection is not run), then whatever those bytes read themselves.
 */
const LOOP =
  'printf "\\n%s %s\\n" "$1" "$$"; printf "%s\\n" "$1" >&2; while IFS= read -r n; do s=$(head -c "$n"); case $s in *"#$1") eval "$s";; *) exit 74;; esac; done';
const AS_LOGIN = (token: string): string => `exec /bin/sh -c '${LOOP}' mesh-expansion ${token}`;
const AS_ROOT = (token: string): string =>
  `exec env LC_ALL=C LANG=C sudo -S -p ${token}-password: -- setsid -w /bin/sh -c '${LOOP}' mesh-expansion ${token}`;

/** Comes with the first part. */
const PROLOGUE =
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; LANG=C; export PATH LC_ALL LANG; umask 022; end=$1\n';
const ANSWERED = `printf '%s\\n' "$end"`;
const END_LIMIT_MS = 5000;
const OUTPUT_LIMIT = 16 * 1024 * 1024;

export interface ShellEnd {
  /** Undefined where the server gave none (killed by a signal). */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A remote sh that takes its work in parts over one channel. Everything it prints before its token (profile noise, sudo's lecture) is dropped. */
export class RemoteShell {
  /** Process group of everything the shell starts. */
  readonly pid: number;
  readonly #channel: ClientChannel;
  readonly #host: string;
  readonly #token: string;
  #prologue = PROLOGUE;
  #stdout: Buffer[] = [];
  #stdoutBytes = 0;
  #stderr = '';
  #ended: { readonly exitCode: number | undefined } | undefined;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  private constructor(channel: ClientChannel, connection: Connection, token: string, pid: number) {
    this.#channel = channel;
    this.#host = connection.host;
    this.#token = token;
    this.pid = pid;
  }

  /** Starts the shell as the login user, or as root through sudo. Throws `host.sudo-refused`, `host.sudo-password`, `host.lost`, `host.command`. */
  static async open(connection: Connection, root: false | ShellPrompts, signal?: AbortSignal): Promise<RemoteShell> {
    const token = crypto.randomUUID().replaceAll('-', '');
    const channel = await connection.exec(root === false || connection.user === 'root' ? AS_LOGIN(token) : AS_ROOT(token), { signal });
    const { pid, rest, stderr } = await started(channel, connection, token, root, signal);
    const shell = new RemoteShell(channel, connection, token, pid);
    shell.#follow(connection, rest, stderr);
    return shell;
  }

  /** Sends one part: sh text, then the bytes that its commands read from stdin. */
  send(script: string, ...data: readonly Uint8Array[]): void {
    if (!this.#channel.writable) return;
    const text = Buffer.from(`${this.#prologue}${script}\n#${this.#token}`);
    this.#prologue = '';
    this.#channel.write(Buffer.concat([Buffer.from(`${text.length}\n`), text]));
    for (const bytes of data) this.#channel.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Sends one part and returns the lines it prints. Rejects with ShellFailed where the shell ends instead. */
  ask(script: string, ...data: readonly Uint8Array[]): Promise<string[]> {
    this.send(`${script}\n${ANSWERED}`, ...data);
    return this.#answer();
  }

  /** The same for the last part: the shell ends after it, without another word from here. */
  askLast(script: string): Promise<string[]> {
    this.send(`${script}\n${ANSWERED}`);
    this.#channel.end();
    return this.#answer();
  }

  async #answer(): Promise<string[]> {
    const marker = Buffer.from(`${this.#token}\n`);
    for (;;) {
      const all = this.#collected();
      const at = all.indexOf(marker);
      if (at >= 0 && (at === 0 || all[at - 1] === 10)) {
        this.#stdout = [all.subarray(at + marker.length)];
        this.#stdoutBytes -= at + marker.length;
        return at === 0
          ? []
          : all
              .subarray(0, at - 1)
              .toString('utf8')
              .split('\n');
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended !== undefined) throw new ShellFailed({ exitCode: this.#ended.exitCode, stdout: all, stderr: this.#stderr });
      await this.#more();
    }
  }

  /** Sends a last part and everything the shell prints until it ends. */
  async finish(script?: string, ...data: readonly Uint8Array[]): Promise<ShellEnd> {
    if (script !== undefined) this.send(script, ...data);
    this.#channel.end();
    while (this.#ended === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#more();
    }
    return { exitCode: this.#ended.exitCode, stdout: this.#collected(), stderr: this.#stderr };
  }

  /** What has been printed so far and not been asked for. */
  printed(): Pick<ShellEnd, 'stdout' | 'stderr'> {
    return { stdout: this.#collected(), stderr: this.#stderr };
  }

  /** Ends the shell after a failure: no more parts. Waits for the other end, but not long. */
  async end(): Promise<void> {
    if (this.#ended !== undefined || this.#failure !== undefined) return;
    const limit = setTimeout(() => this.abandon(new Error('remote shell does not end')), END_LIMIT_MS);
    await this.finish().catch(() => undefined);
    clearTimeout(limit);
  }

  /** Forgets the channel; what runs at the other end is not stopped by it. */
  abandon(reason: Error): void {
    this.#failure ??= reason;
    this.#channel.destroy();
    this.#wake();
  }

  #collected(): Buffer {
    const all = Buffer.concat(this.#stdout);
    this.#stdout = [all];
    return all;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #follow(connection: Connection, rest: Buffer, stderr: string): void {
    const channel = this.#channel;
    this.#stdout = [rest];
    this.#stdoutBytes = rest.length;
    this.#stderr = stderr;
    channel.on('data', (chunk: Buffer) => {
      this.#stdoutBytes += chunk.length;
      if (this.#stdoutBytes > OUTPUT_LIMIT)
        this.abandon(hostError('host.command', { host: this.#host, text: `more than ${OUTPUT_LIMIT} bytes` }));
      else this.#stdout.push(chunk);
      this.#wake();
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < OUTPUT_LIMIT) this.#stderr += chunk.toString('utf8');
    });
    let exitCode: number | undefined;
    channel.on('exit', (code: number | null) => {
      exitCode = code ?? undefined;
    });
    const forget = connection.whenLost((error) => {
      this.#failure ??= error;
      this.#wake();
    });
    channel.on('close', () => {
      forget();
      // A channel that closes without an exit status may be the first sign of a lost connection: give that a chance to be told first.
      setImmediate(() => {
        this.#ended = { exitCode };
        this.#wake();
      });
    });
  }
}

/** A remote shell that ended before it had answered. */
export class ShellFailed extends Error {
  readonly end: ShellEnd;

  constructor(end: ShellEnd) {
    super(`remote shell ended with ${end.exitCode ?? 'a signal'}`);
    this.end = end;
  }
}
