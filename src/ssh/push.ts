import { isMeshError } from '../mesh/errors.ts';
import type { CallOptions, HostManifest, PushRequest, PushResult } from '../mesh/ports.ts';
import { parseDescribed } from './describe.ts';
import { hostError } from './errors.ts';
import { parseManifest } from './manifest.ts';
import { inside } from './pushDirectories.ts';
import { bytesOf, parsePlaces, planPush, sha256, type Situation } from './pushPlan.ts';
import { DESCRIBE_FUNCTIONS } from './scripts/describe.ts';
import { LOOK, STATE_FUNCTIONS } from './scripts/state.ts';
import { PLACE_FUNCTIONS, TRANSACTION_FUNCTIONS } from './scripts/transaction.ts';
import type { HostSession } from './session.ts';
import type { RemoteShell } from './shell.ts';
import { commitTransaction, ORIGINALS } from './transaction.ts';
import { checkAccount, checkPath, words } from './words.ts';

export const PUSH_LIMIT_MS = 120_000;

/** VmHost.push: one remote command, one lock; all files or none. Where the connection is lost, the outcome is read over a new one. */
export async function push(session: HostSession, request: PushRequest, options: CallOptions = {}): Promise<PushResult> {
  for (const file of request.files) checkFile(file);
  (request.drop ?? []).forEach(checkPath);
  (request.directories ?? []).forEach(checkFile);
  const intended: { result?: PushResult; before?: number } = {};
  const call = { ...options, root: true, limitMs: PUSH_LIMIT_MS };
  const once = (): Promise<PushResult> =>
    session.withShell(call, async (shell) => {
      const situation = await enter(shell, [
        ...request.files.map((file) => file.path),
        ...(request.drop ?? []),
        ...(request.directories ?? []).flatMap(({ path }) => [path, inside(path)]),
      ]);
      const done = intended.result;
      if (done !== undefined && situation.manifest?.generation === done.generation && holds(situation.manifest, request)) {
        await shell.finish();
        return done;
      }
      const plan = planPush(session.alias, request, situation, ORIGINALS, new Date());
      const result = {
        changed: plan.changes.map((change) => change.path),
        unchanged: plan.unchanged,
        generation: plan.manifest.generation,
      };
      intended.before = situation.manifest?.generation ?? 0;
      if (plan.manifest !== situation.manifest) {
        intended.result = result;
        await commitTransaction(shell, {
          changes: plan.changes,
          directories: plan.directories,
          adopted: plan.adopted,
          manifest: plan.manifest,
          hadManifest: situation.manifest !== undefined,
          record: plan.manifest.generation,
          last: true,
        });
      }
      await shell.finish();
      return result;
    });
  try {
    return await once();
  } catch (error) {
    if (isMeshError(error, 'host.lost')) return session.afterLoss(once, options.signal);
    if (intended.result !== undefined && isInterruption(error)) throw await interrupted(session, error, intended.result.generation);
    throw error;
  }
}

/** Takes the lock, repairs a broken push, and reads manifest, places and state of the paths. */
export async function enter(shell: RemoteShell, paths: readonly string[]): Promise<Situation> {
  const functions = [STATE_FUNCTIONS, DESCRIBE_FUNCTIONS, PLACE_FUNCTIONS, TRANSACTION_FUNCTIONS];
  const lines = await shell.ask([...functions, 'enter', 'manifest', look(paths)].join('\n'));
  return { manifest: manifestOf(lines), described: parseDescribed(lines), places: parsePlaces(lines) };
}

/** State and places of the paths, on a shell that has entered. */
export async function lookAt(shell: RemoteShell, paths: readonly string[]): Promise<Omit<Situation, 'manifest'>> {
  const lines = await shell.ask(look(paths));
  return { described: parseDescribed(lines), places: parsePlaces(lines) };
}

function look(paths: readonly string[]): string {
  return paths.length === 0 ? '' : `place ${words(paths)}\ndescribe ${words(paths)}`;
}

export function manifestOf(lines: readonly string[]): HostManifest | undefined {
  const line = lines.find((one) => one.startsWith('manifest '));
  return line === undefined ? undefined : parseManifest(Buffer.from(line.slice('manifest '.length), 'base64').toString('utf8'));
}

export function isInterruption(error: unknown): boolean {
  return isMeshError(error, 'cancelled') || isMeshError(error, 'host.timeout');
}

/** After an interruption: repairs what it left and, where the generation it was to make is known, says which set of files is there. */
export async function interrupted(session: HostSession, error: unknown, generation: number | undefined): Promise<unknown> {
  const lines = await session.withShell({ root: true, limitMs: 15_000 }, async (shell) => {
    const answer = await shell.ask(`${STATE_FUNCTIONS}${LOOK}`);
    await shell.finish();
    return answer;
  });
  if (generation === undefined) return error;
  const state = manifestOf(lines)?.generation === generation ? 'new' : 'old';
  const code = isMeshError(error) ? error.code : 'cancelled';
  return hostError(
    code,
    { host: session.alias, seconds: PUSH_LIMIT_MS / 1000 },
    { text: `${code.replace('host.', '')}.push-${state}`, cause: error },
  );
}

function checkFile(file: Pick<PushRequest['files'][number], 'path' | 'mode' | 'owner' | 'group'>): void {
  checkPath(file.path);
  checkAccount(file.owner);
  checkAccount(file.group);
  if (!Number.isInteger(file.mode) || file.mode < 0 || file.mode > 0o7777)
    throw hostError('host.word', { value: String(file.mode) }, { field: 'mode' });
}

function holds(manifest: HostManifest, request: PushRequest): boolean {
  return request.files.every((file) => manifest.files.find((one) => one.path === file.path)?.sha256 === sha256(bytesOf(file)));
}
