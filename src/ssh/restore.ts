import { z } from 'zod';
import { isMeshError } from '../mesh/errors.ts';
import type { CallOptions, HostManifest, PushResult } from '../mesh/ports.ts';
import { hostError } from './errors.ts';
import { parseManifest } from './manifest.ts';
import { enter, interrupted, isInterruption, lookAt, PUSH_LIMIT_MS } from './push.ts';
import { lookUp, planPush, type Change } from './pushPlan.ts';
import type { HostSession } from './session.ts';
import type { RemoteShell } from './shell.ts';
import { commitTransaction, generationDirectory, keptIn, MANIFEST_PATH, ORIGINALS, type GenerationRecord } from './transaction.ts';
import { word } from './words.ts';

const recordSchema = z.object({ changes: z.array(z.object({ path: z.string(), before: z.enum(['absent', 'kept']) })) });

/** VmHost.rollback: what the last push changed goes back, its generation is forgotten. Throws `host.nothing` where there is no earlier generation. */
export async function rollback(session: HostSession, options: CallOptions = {}): Promise<PushResult> {
  return changing(session, options, async (shell, manifest, intend) => {
    const generation = manifest?.generation ?? 0;
    const kept = manifest === undefined ? undefined : await readGeneration(shell, generation);
    if (manifest === undefined || kept === undefined) throw hostError('host.nothing', { host: session.alias });
    const paths = kept.record.changes.map((change) => change.path);
    const situation = await lookAt(shell, paths);
    const changes: Change[] = kept.record.changes.flatMap(({ path, before }) => {
      const { state, place } = lookUp(session.alias, path, situation);
      if (before === 'absent' && !state.exists) return [];
      const to = before === 'kept' ? ({ kind: 'kept', source: keptIn(generation, path) } as const) : ({ kind: 'absent' } as const);
      return [{ path, place, now: state, to, keepOriginal: false }];
    });
    const after: HostManifest = {
      ...manifest,
      owner: kept.manifest?.owner ?? manifest.owner,
      generation: generation - 1,
      files: kept.manifest?.files ?? [],
    };
    const result = { changed: changes.map((change) => change.path), unchanged: [], generation: after.generation };
    intend(result);
    await commitTransaction(shell, {
      changes,
      adopted: [],
      manifest: after,
      hadManifest: true,
      record: undefined,
      obsolete: [generationDirectory(generation)],
      last: true,
    });
    return result;
  });
}

/** VmHost.restoreOriginals: every file of the manifest as it was before the first push. A machine without a manifest has nothing to restore. */
export async function restoreOriginals(session: HostSession, options: CallOptions = {}): Promise<PushResult> {
  return changing(session, options, async (shell, manifest, intend) => {
    if (manifest === undefined) return { changed: [], unchanged: [], generation: 0 };
    const paths = manifest.files.map((file) => file.path);
    const situation = { manifest, ...(paths.length === 0 ? { described: new Map(), places: new Map() } : await lookAt(shell, paths)) };
    const plan = planPush(session.alias, { owner: manifest.owner, files: [], drop: paths }, situation, ORIGINALS, new Date());
    const generation = plan.manifest.generation;
    const result = { changed: plan.changes.map((change) => change.path), unchanged: [], generation };
    intend(result);
    if (plan.manifest !== manifest)
      await commitTransaction(shell, {
        changes: plan.changes,
        adopted: [],
        manifest: plan.manifest,
        hadManifest: true,
        record: generation,
        last: true,
      });
    return result;
  });
}

/**
 * Runs a change of files. Where the connection is lost, the outcome is read over a new one, for a second roll back would go one generation further;
 * an interruption is followed by a repair that tells which set is there.
 */
async function changing(
  session: HostSession,
  options: CallOptions,
  work: (shell: RemoteShell, manifest: HostManifest | undefined, intend: (result: PushResult) => void) => Promise<PushResult>,
): Promise<PushResult> {
  const intended: { result?: PushResult } = {};
  const once = (): Promise<PushResult> =>
    session.withShell({ ...options, root: true, limitMs: PUSH_LIMIT_MS }, async (shell) => {
      const { manifest } = await enter(shell, []);
      const done = intended.result;
      const result =
        done !== undefined && done.generation === manifest?.generation
          ? done
          : await work(shell, manifest, (outcome) => {
              intended.result = outcome;
            });
      await shell.finish();
      return result;
    });
  try {
    return await once();
  } catch (error) {
    if (isMeshError(error, 'host.lost')) return session.afterLoss(once, options.signal);
    if (isInterruption(error)) throw await interrupted(session, error, undefined);
    throw error;
  }
}

async function readGeneration(
  shell: RemoteShell,
  generation: number,
): Promise<{ readonly record: GenerationRecord; readonly manifest: HostManifest | undefined } | undefined> {
  const files = { changes: `${generationDirectory(generation)}/changes.json`, manifest: keptIn(generation, MANIFEST_PATH) };
  const lines = await shell.ask(
    Object.entries(files)
      .map(([name, file]) => `[ ! -e ${word(file)} ] || { printf '%s ' ${name}; base64 -w0 -- ${word(file)}; echo; }`)
      .join('\n'),
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
