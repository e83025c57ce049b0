import { execFile } from 'node:child_process';
import { isMeshError } from '../../mesh/errors.ts';
import { errorText, hostError } from '../errors.ts';
import type { ConfigQuery } from './effective.ts';
import { toldAbout, type Told } from './told.ts';

const LIMIT_MS = 10_000;
/** How long an answer stands for other aliases: the files are read anew each time, but not OpenSSH itself. */
const SHARED_MS = 60_000;
const MOST_SHARED = 100;

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
}

/** By what an alias is told; undefined where the answer is not fit for another alias. */
const shared = new Map<string, { readonly since: number; readonly answer: Promise<string | undefined> }>();

/**
 * The `keyword value` lines of `ssh -G`; undefined where there is no OpenSSH client. A process for each of a hundred aliases costs as much as their
 * handshakes, so aliases of which the files say the same share one. Throws `host.config` (ssh's own words), `cancelled`.
 */
export async function askOpenSsh(alias: string, query: ConfigQuery): Promise<string | undefined> {
  const told = query.user === undefined && query.port === undefined ? await toldAbout(alias, query.configFile) : undefined;
  if (told === undefined) return (await runSshG(alias, query))?.stdout;
  const key = JSON.stringify([query.configFile, told.files, told.lines]);
  const known = shared.get(key);
  if (known !== undefined && Date.now() - known.since < SHARED_MS) {
    const answer = await known.answer;
    if (query.signal?.aborted === true) throw cancelled(alias);
    return answer === undefined ? (await runSshG(alias, query))?.stdout : renamed(answer, alias, told.hostName);
  }
  // Where OpenSSH refuses the files, its words come without what -v adds.
  const asked = runSshG(alias, query, '-v').catch((error: unknown) => {
    if (isMeshError(error, 'host.config')) return runSshG(alias, query);
    throw error;
  });
  if (shared.size >= MOST_SHARED) shared.clear();
  const fit = (answer: Answer | undefined): string | undefined =>
    answer !== undefined && agrees(answer, told) ? answer.stdout : undefined;
  shared.set(key, { since: Date.now(), answer: asked.then(fit, () => undefined) });
  return (await asked)?.stdout;
}

/** Whether OpenSSH read the very files, took the very Host lines and came to the very name that were found here. */
function agrees({ stdout, stderr }: Answer, told: Told): boolean {
  const named = (pattern: RegExp): string[] => [...stderr.matchAll(pattern)].map((match) => match[1] ?? '');
  return (
    same(named(/^debug1: Reading configuration data (.*?)\r?$/gm), told.files) &&
    same(named(/^debug1: (.* line \d+): Applying options for /gm), told.applied) &&
    stdout.split(/\r?\n/).includes(`hostname ${told.hostName}`)
  );
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

function renamed(text: string, alias: string, hostName: string): string {
  return text.replace(/^host .*$/m, `host ${alias}`).replace(/^hostname .*$/m, `hostname ${hostName}`);
}

function cancelled(alias: string, cause?: unknown): Error {
  return hostError('cancelled', { host: alias }, { text: 'cancelled.before', cause });
}

/** Undefined where there is no OpenSSH client. */
function runSshG(alias: string, query: ConfigQuery, ...more: readonly string[]): Promise<Answer | undefined> {
  const overrides = [
    ...(query.user === undefined ? [] : ['-l', query.user]),
    ...(query.port === undefined ? [] : ['-p', String(query.port)]),
  ];
  const argv = ['-G', ...more, ...(query.configFile === undefined ? [] : ['-F', query.configFile]), ...overrides, '--', alias];
  return new Promise((resolve, reject) => {
    execFile('ssh', argv, { timeout: LIMIT_MS, maxBuffer: 1 << 20, signal: query.signal }, (error, stdout, stderr) => {
      // -v would be a log level of its own.
      if (error === null) resolve({ stdout: stdout.replace(/^loglevel .*\r?\n/m, ''), stderr });
      else if (error.code === 'ENOENT') resolve(undefined);
      else if (error.name === 'AbortError') reject(cancelled(alias, error));
      else reject(hostError('host.config', { host: alias, text: errorText(new Error(stderr || error.message)) }, { cause: error }));
    });
  });
}
