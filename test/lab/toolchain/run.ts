// Runs one program to its end with a time limit, keeping what it said for the error.
import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Text for its standard input; none means /dev/null. */
  input?: string | Buffer;
  /** Milliseconds; default one minute. */
  timeout?: number;
  signal?: AbortSignal;
  /** Resolve on any exit code instead of throwing. */
  tolerant?: boolean;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The error of a program that failed or ran out of time: `code` LAB_COMMAND_FAILED, with the exit code and the end of its output. */
export class CommandError extends Error {
  readonly code = 'LAB_COMMAND_FAILED';
  readonly result: RunResult;
  constructor(argv: readonly string[], result: RunResult, why: string) {
    super(`${argv.join(' ').slice(0, 300)}: ${why}\n${(result.stderr || result.stdout).slice(-2000)}`);
    this.result = result;
  }
}

/** Runs `argv`; throws CommandError on a non-zero exit (unless `tolerant`), on the time limit and when it cannot be started. */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const timeout = options.timeout ?? 60_000;
  const limit = AbortSignal.timeout(timeout);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const spawnOptions: SpawnOptions = { cwd: options.cwd, env: options.env ?? process.env, signal, killSignal: 'SIGKILL' };
  const child = spawn(argv[0], argv.slice(1), {
    ...spawnOptions,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that exits without reading its input is not an error of ours.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  const failure = new Promise<Error>((resolve) => child.once('error', resolve));
  const closed = new Promise<number>((resolve) => child.once('close', (code, killedBy) => resolve(code ?? (killedBy ? 137 : 1))));
  const outcome = await Promise.race([closed, failure]);
  const result: RunResult = {
    code: typeof outcome === 'number' ? outcome : 127,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
  if (limit.aborted) throw new CommandError(argv, result, `no end within ${timeout} ms`);
  if (typeof outcome !== 'number') throw new CommandError(argv, result, outcome.message);
  if (result.code !== 0 && !options.tolerant) throw new CommandError(argv, result, `exit code ${result.code}`);
  return result;
}

/** Runs a Go program that ends soon, as `run` does: a kubectl that does not collect its garbage computes a third less. */
export async function runGo(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  return run(argv, { ...options, env: { ...(options.env ?? process.env), GOGC: 'off', GOMEMLIMIT: '1GiB' } });
}
