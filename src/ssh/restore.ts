import { z } from 'zod';
import type { CallOptions, HostManifest, PushResult } from '../mesh/ports.ts';
import { hostError } from './errors.ts';
import { parseManifest } from './manifest.ts';
import { enter, interrupted, isInterruption, lookAt, PUSH_LIMIT_MS } from './push.ts';
import { copyName, lookUp, planPush, type Change } from './pushPlan.ts';
import { STATE_DIRECTORY } from './scripts/state.ts';
import type { HostSession } from './session.ts';
import type { RemoteShell } from './shell.ts';
import { commitTransaction, ORIGINALS, type GenerationRecord } from './transaction.ts';

const recordSchema = z.object({ changes: z.array(z.object({ path: z.string(), before: z.enum(['absent', 'kept']) })) });

/** VmHost.rollback: what the last push changed goes back, its generation is forgotten. Throws `host.nothing` where there is no earlier generation. */
export async function rollback(session: HostSession, options: CallOptions = {}): Promise<PushResult> {
  return changing(session, options, async (shell) => {
    const { manifest } = await enter(shell, []);
    const generation = manifest?.generation ?? 0;
    const kept = manifest === undefined ? undefined : await readGeneration(shell, generation);
    if (manifest === undefined || kept === undefined) throw hostError('host.nothing', { host: session.alias });
    const paths = kept.record.changes.map((change) => change.path);
    const situation = await lookAt(shell, paths);
    const changes: Change[] = kept.record.changes.flatMap(({ path, before }) => {
      const { state, place } = lookUp(session.alias, path, situation);
      if (before === 'absent' && !state.exists) return [];
      const source = `${STATE_DIRECTORY}/generations/${generation}/${copyName(path)}`;
      return [{ path, place, now: state, to: before === 'kept' ? { kind: 'kept', source } : { kind: 'absent' }, keepOriginal: false }];
    });
    const after: HostManifest = {
      ...manifest,
      owner: kept.manifest?.owner ?? manifest.owner,
      generation: generation - 1,
      files: kept.manifest?.files ?? [],
    };
    await commitTransaction(shell, {
      changes,
      adopted: [],
      manifest: after,
      hadManifest: true,
      record: undefined,
      afterwards: `rm -rf -- ${STATE_DIRECTORY}/generations/${generation}`,
    });
    return {
      result: { changed: changes.map((change) => change.path), unchanged: [], generation: after.generation },
      generation: after.generation,
    };
  });
}

/** VmHost.restoreOriginals: every file of the manifest as it was before the first push. A machine without a manifest has nothing to restore. */
export async function restoreOriginals(session: HostSession, options: CallOptions = {}): Promise<PushResult> {
  return changing(session, options, async (shell) => {
    const { manifest } = await enter(shell, []);
    if (manifest === undefined) return { result: { changed: [], unchanged: [], generation: 0 }, generation: 0 };
    const paths = manifest.files.map((file) => file.path);
    const situation = { manifest, ...(paths.length === 0 ? { described: new Map(), places: new Map() } : await lookAt(shell, paths)) };
    const plan = planPush(session.alias, { owner: manifest.owner, files: [], drop: paths }, situation, ORIGINALS, new Date());
    const generation = plan.manifest.generation;
    if (plan.manifest !== manifest)
      await commitTransaction(shell, {
        changes: plan.changes,
        adopted: [],
        manifest: plan.manifest,
        hadManifest: true,
        record: generation,
      });
    return { result: { changed: plan.changes.map((change) => change.path), unchanged: [], generation }, generation };
  });
}

/** Runs a change of files once; an interruption is followed by a repair that tells which set is there. */
async function changing(
  session: HostSession,
  options: CallOptions,
  work: (shell: RemoteShell) => Promise<{ readonly result: PushResult; readonly generation: number }>,
): Promise<PushResult> {
  try {
    return await session.withShell({ ...options, root: true, limitMs: PUSH_LIMIT_MS }, async (shell) => {
      const { result } = await work(shell);
      await shell.finish();
      return result;
    });
  } catch (error) {
    if (isInterruption(error)) throw await interrupted(session, error, undefined);
    throw error;
  }
}

async function readGeneration(
  shell: RemoteShell,
  generation: number,
): Promise<{ readonly record: GenerationRecord; readonly manifest: HostManifest | undefined } | undefined> {
  const directory = `${STATE_DIRECTORY}/generations/${generation}`;
  const lines = await shell.ask(
    `for name in changes manifest; do [ ! -e "${directory}/$name.json" ] || printf '%s %s\\n' "$name" "$(base64 -w0 -- "${directory}/$name.json")"; done`,
  );
  const text = (name: string): string | undefined => {
    const line = lines.find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Buffer.from(line.slice(name.length + 1), 'base64').toString('utf8');
  };
  const changes = text('changes');
  const manifest = text('manifest');
  if (changes === undefined) return undefined;
  return { record: recordSchema.parse(JSON.parse(changes)), manifest: manifest === undefined ? undefined : parseManifest(manifest) };
}
