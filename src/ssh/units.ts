import { isMeshError } from '../mesh/errors.ts';
import type { CallOptions, HostManifest, UnitChange, UnitState } from '../mesh/ports.ts';
import { hostError } from './errors.ts';
import { emptyManifest } from './manifest.ts';
import { unitStates } from './probeAnswer.ts';
import { enter } from './push.ts';
import { PROBE_FUNCTIONS } from './scripts/probe.ts';
import { STATE_DIRECTORY } from './scripts/state.ts';
import { JOB_FUNCTIONS, unitJob } from './scripts/units.ts';
import type { HostSession } from './session.ts';
import { commitTransaction } from './transaction.ts';
import { checkName, words } from './words.ts';

const LIMIT_MS = 180_000;
const SETTLE_MS = 3000;
/** How long a machine may be out of reach after its own sidecar cut the connection. */
const RETURN_MS = 90_000;

/**
 * VmHost.setUnits: the work is a transient unit of systemd, so that it goes on when it cuts the connection; its result is a file, read over a new connection.
 * Throws `host.unit` where systemd refuses or a started unit does not stay active, with its last log lines.
 */
export async function setUnits(
  session: HostSession,
  change: UnitChange,
  options: CallOptions & { readonly owner?: HostManifest['owner'] } = {},
): Promise<readonly UnitState[]> {
  const names = [
    ...new Set([change.enable, change.disable, change.start, change.restart, change.stop].flatMap((list) => list ?? []).map(checkName)),
  ];
  if (names.length === 0) return [];
  const id = crypto.randomUUID();
  const call = { ...options, root: true, limitMs: LIMIT_MS };
  const read = `read_job ${id}\nunits ${words(names)}`;
  try {
    const lines = await session.withShell(call, async (shell) => {
      const { manifest } = await enter(shell, []);
      const before = unitStates(names, await shell.ask(`${PROBE_FUNCTIONS}\n${JOB_FUNCTIONS}\nunits ${words(names)}`));
      const recorded = withUnits(manifest ?? (options.owner === undefined ? undefined : emptyManifest(options.owner)), before);
      if (recorded !== undefined && recorded !== manifest)
        await commitTransaction(shell, {
          changes: [],
          adopted: [],
          manifest: recorded,
          hadManifest: manifest !== undefined,
          record: undefined,
        });
      const job = Buffer.from(unitJob(change, change.settleMs ?? SETTLE_MS));
      await shell.ask(`start_job ${id} ${job.length}`, job);
      const answer = await shell.ask(read);
      await shell.ask(`end_job ${id}`);
      await shell.finish();
      return answer;
    });
    return judge(session.alias, names, change, lines);
  } catch (error) {
    if (isMeshError(error, 'host.lost')) return judge(session.alias, names, change, await readAfterReturn(session, id, read, options));
    if (isMeshError(error, 'cancelled') || isMeshError(error, 'host.timeout')) await stopJob(session, id);
    throw error;
  }
}

/** The manifest with the earlier state of units that it does not know yet. */
function withUnits(manifest: HostManifest | undefined, before: readonly UnitState[]): HostManifest | undefined {
  if (manifest === undefined) return undefined;
  const fresh = before.filter((unit) => !manifest.units.some((known) => known.name === unit.name));
  if (fresh.length === 0) return manifest;
  return {
    ...manifest,
    units: [...manifest.units, ...fresh.map((unit) => ({ name: unit.name, enabledBefore: unit.enabled, activeBefore: unit.active }))],
  };
}

/** Reconnects until the machine answers again. A job that never started is `host.lost`. */
async function readAfterReturn(session: HostSession, id: string, read: string, options: CallOptions): Promise<string[]> {
  const again = (): Promise<string[]> =>
    session.withShell({ ...options, root: true, limitMs: LIMIT_MS }, async (shell) => {
      const lines = await shell.ask(`${PROBE_FUNCTIONS}\n${JOB_FUNCTIONS}\nS=${STATE_DIRECTORY}\n${read}`);
      await shell.ask(`end_job ${id}`);
      await shell.finish();
      if (!lines.some((line) => line.startsWith('result ')))
        throw hostError('host.lost', { host: session.alias, text: id }, { text: 'lost.before-start' });
      return lines;
    });
  return session.afterLoss(again, options.signal, RETURN_MS);
}

async function stopJob(session: HostSession, id: string): Promise<void> {
  await session.withShell({ root: true, limitMs: 15_000 }, async (shell) => {
    await shell.ask(`${JOB_FUNCTIONS}\nS=${STATE_DIRECTORY}\nend_job ${id}`);
    await shell.finish();
  });
}

function judge(host: string, names: readonly string[], change: UnitChange, lines: readonly string[]): readonly UnitState[] {
  const states = unitStates(names, lines);
  const result = lines.find((line) => line.startsWith('result '))?.slice('result '.length) ?? '';
  const said = Buffer.from(lines.find((line) => line.startsWith('said '))?.slice('said '.length) ?? '', 'base64').toString('utf8');
  const broken = states.find(
    (state) =>
      [...(change.start ?? []), ...(change.restart ?? [])].includes(state.name) &&
      (state.active !== 'active' || result.split(' ').includes(state.name)),
  );
  if (broken !== undefined) {
    throw hostError('host.unit', {
      host,
      unit: broken.name,
      state: `${broken.active} (${broken.sub})`,
      restarts: broken.restarts,
      log: broken.log ?? said.trim(),
    });
  }
  if (result !== 'ok') throw hostError('host.unit', { host, unit: names.join(', '), text: said.trim() }, { text: 'unit.refused' });
  return states;
}
