import type { Check } from './era.ts';
import { MeshError } from './errors.ts';
import type { CheckEvents } from './mesh.ts';
import { message, type Message } from './messages.ts';
import type { CheckResult } from './model.ts';
import { nearest } from './nearest.ts';
import type { CallOptions, HostCommand, VmHost } from './ports.ts';
import { commandLine } from './shellWords.ts';

/** Milliseconds that a check's command may take where the check names no limit of its own. */
const CHECK_TIMEOUT_MS = 20_000;

/** The checks with the given ids, all without. Throws `check.unknown` (bad-input) for an id that no check has. */
export function chosenChecks(checks: readonly Check[], only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined || only.length === 0) return checks;
  const ids = checks.map((check) => check.id);
  const wrong = only.find((id) => !ids.includes(id));
  if (wrong !== undefined) {
    throw new MeshError({
      code: 'check.unknown',
      kind: 'bad-input',
      userMessage: message('check.unknown', { id: wrong }),
      nextStep: message('check.unknown.next', { known: nearest(wrong, ids) ?? ids.join(', ') }),
      field: 'only',
    });
  }
  return checks.filter((check) => only.includes(check.id));
}

/** Runs checks one after the other over one connection; each judge sees the results before it. */
export async function runChecks(
  checks: readonly Check[],
  host: VmHost,
  events: CheckEvents,
  options?: CallOptions,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    const { argv, asRoot, timeoutMs = CHECK_TIMEOUT_MS } = check.command;
    const line = commandLine(argv, asRoot);
    events.onStart?.(check.id, line, checks.length);
    const result = {
      id: check.id,
      commandLine: line,
      ...(check.skipped === undefined ? await run(check, { argv, asRoot, timeoutMs }, host, results, options) : skip(check.skipped)),
    };
    results.push(result);
    events.onResult?.(result);
  }
  return results;
}

type Judged = Omit<CheckResult, 'id' | 'commandLine'>;

async function run(
  check: Check,
  command: HostCommand,
  host: VmHost,
  earlier: readonly CheckResult[],
  options?: CallOptions,
): Promise<Judged> {
  const output = await host.run(command, options);
  const text = [output.stdout, output.stderr].filter((part) => part !== '').join('\n');
  return { output: text, durationMs: output.durationMs, ...(await check.judge(output, earlier)) };
}

function skip(reason: Message): Judged {
  return { output: '', verdict: 'skipped', reason, durationMs: 0 };
}
