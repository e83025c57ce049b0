// An application on a machine for tests: an HTTP program that says what arrived (standins/go/cmd/echo).
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDirectory } from '../../scripts/node24.mjs';
import type { Lab } from './env.ts';
import { buildStandins } from './standins/index.ts';

const PROGRAM = '/run/lab-echo';

export interface EchoOptions {
  /** HTTP status of the path /healthz; default 200. Every other path answers 200. */
  health?: number;
}

/** What it answers. Header names as Go writes them: `X-Forwarded-Client-Cert`. */
export interface EchoAnswer {
  hostname: string;
  method: string;
  host: string;
  path: string;
  from: string;
  headers: Readonly<Record<string, readonly string[]>>;
}

/**
 * Runs it on the machine on every address at this port, as the transient unit `lab-echo-<port>`; started anew where it runs already.
 * Resolves when it answers on the machine. All it leaves there is in /run.
 */
export async function runEcho(lab: Lab, machine: string, port: number, { health = 200 }: EchoOptions = {}): Promise<void> {
  const { echo } = await buildStandins({ cacheDirectory, report: (line) => void process.stderr.write(`${line}\n`) });
  await stopEcho(lab, machine, port);
  await lab.onMachine(machine, ['sh', '-ec', 'test -x "$1" || { cat >"$1.new"; chmod 755 "$1.new"; mv "$1.new" "$1"; }', 'sh', PROGRAM], {
    input: await readFile(echo),
  });
  const argv = [PROGRAM, `--address=:${port}`, `--health=${health}`];
  await lab.onMachine(machine, ['systemd-run', '--quiet', '--collect', `--unit=${unit(port)}`, '--', ...argv]);
  const deadline = Date.now() + 10_000;
  // 127.0.0.1 is never captured by a sidecar.
  while (
    (await lab.onMachine(machine, ['curl', '-s', '-m', '1', '-o', '/dev/null', `http://127.0.0.1:${port}/`], { tolerant: true })).code !== 0
  ) {
    if (Date.now() > deadline) throw new Error(`the echo program on ${machine} does not answer at port ${port}`);
    await sleep(100);
  }
}

/** Ends it; nothing listens at the port afterwards. Where none runs it does nothing. */
export async function stopEcho(lab: Lab, machine: string, port: number): Promise<void> {
  await lab.onMachine(machine, ['systemctl', 'stop', unit(port)], { tolerant: true });
}

/** What a curl printed, as the program's answer; throws where it is none. */
export function echoAnswer(text: string): EchoAnswer {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('hostname' in value) || !('headers' in value))
    throw new Error(`no answer of the echo program: ${text.slice(0, 200)}`);
  return value as EchoAnswer;
}

function unit(port: number): string {
  return `lab-echo-${port}.service`;
}
