import type { CallOptions, CommandOutput, HostCommand } from '../mesh/ports.ts';
import { isMeshError } from '../mesh/errors.ts';
import { hostError } from './errors.ts';
import type { HostSession } from './session.ts';
import type { ShellEnd } from './shell.ts';
import { words } from './words.ts';

const LIMIT_MS = 60_000;

/**
 * Runs one program with exactly these arguments; stdin is empty. A time limit of the command itself is an answer (`timedOut`), not an error.
 * Should the connection be lost, `timeout` on the VM ends what was left running.
 */
export async function run(session: HostSession, command: HostCommand, options: CallOptions = {}): Promise<CommandOutput> {
  const [program] = command.argv;
  if (program === undefined || program === '' || program.startsWith('-'))
    throw hostError('host.word', { value: program ?? '' }, { field: 'argv' });
  const limitMs = command.timeoutMs ?? options.timeoutMs ?? LIMIT_MS;
  const line = `exec timeout --foreground -k 5 ${Math.ceil(limitMs / 1000) + 5} ${words(command.argv)} </dev/null`;
  const start = performance.now();
  const partial: { printed?: () => Pick<ShellEnd, 'stdout' | 'stderr'> } = {};
  const took = (): number => Math.round(performance.now() - start);
  try {
    return await session.withShell({ ...options, timeoutMs: limitMs, limitMs, root: command.asRoot === true }, async (shell) => {
      partial.printed = () => shell.printed();
      const end = await shell.finish(line);
      return {
        exitCode: end.exitCode ?? 255,
        stdout: end.stdout.toString('utf8'),
        stderr: end.stderr,
        durationMs: took(),
        timedOut: false,
      };
    });
  } catch (error) {
    if (!isMeshError(error, 'host.timeout')) throw error;
    const printed = partial.printed?.();
    return {
      exitCode: 124,
      stdout: printed?.stdout.toString('utf8') ?? '',
      stderr: printed?.stderr ?? '',
      durationMs: took(),
      timedOut: true,
    };
  }
}
