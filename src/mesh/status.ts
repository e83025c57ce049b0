import type { FileDrift, Generated, Judgement, VmStatus } from './mesh.ts';
import { message } from './messages.ts';
import type { CertificateFacts, GeneratedFile, TokenFacts, VmCondition, VmEntry, WorkloadEntry } from './model.ts';
import type { HostState, RemoteFile, UnitState } from './ports.ts';
import { sha256 } from './hash.ts';

/** A certificate with less than this part of its life left is expiring: the node agent renews at half of it (citadel facts 6), so it no longer does. */
export const EXPIRING_PART = 0.25;

/** How a file on the VM differs from the generated one. */
export function driftOf(file: GeneratedFile, remote: RemoteFile | undefined): FileDrift {
  // A token that nobody needs may be gone: it lies on tmpfs.
  if (remote?.exists !== true && file.content.kind === 'minted' && !file.content.wanted) return 'same';
  if (remote?.exists !== true || remote.kind === 'directory') return 'missing';
  if (file.content.kind === 'minted' ? file.content.wanted : !sameContent(file.content, file.accepts, remote)) return 'differs';
  const sameMode = remote.mode === undefined || (remote.mode & 0o7777) === file.mode;
  return sameMode && (remote.owner ?? file.owner) === file.owner && (remote.group ?? file.group) === file.group ? 'same' : 'mode';
}

function sameContent(
  content: Exclude<GeneratedFile['content'], { readonly kind: 'minted' }>,
  accepts: GeneratedFile['accepts'],
  remote: RemoteFile,
): boolean {
  const wanted = content.kind === 'text' ? content.text : content.secret.reveal();
  return remote.sha256 === sha256(wanted) || (remote.sha256 !== undefined && accepts?.includes(remote.sha256) === true);
}

/** Puts together what was asked from a VM and what it should be: the drift of each file, the condition (most urgent first, ui.md), the one line that matters most. */
export function statusOf(
  vm: VmEntry,
  generated: Generated,
  { state, entry }: { readonly state: HostState; readonly entry?: WorkloadEntry },
  now: Date,
): VmStatus {
  const files = generated.files.map((file) => ({
    file,
    drift: driftOf(
      file,
      state.files.find((remote) => remote.path === file.path),
    ),
  }));
  const leaf = leafCertificate(state);
  const readers = new Set(generated.files.flatMap((file) => file.readBy));
  const units = state.units.filter((unit) => readers.has(unit.name));
  const drifted = files.filter(({ drift }) => drift !== 'same').map(({ file }) => file.path);
  const own = judge({ vm, generated, state, units, drifted, leaf, now });
  return {
    vm: vm.name,
    ...withEntry(own, entry, now),
    own,
    generated,
    files,
    units: state.units,
    certificateNotAfter: leaf?.notAfter,
    tokenExpiresAt: tokenOf(state)?.expiresAt,
    entry,
    state,
  };
}

interface Facts {
  readonly vm: VmEntry;
  readonly generated: Generated;
  readonly state: HostState;
  readonly units: readonly UnitState[];
  readonly drifted: readonly string[];
  readonly leaf: CertificateFacts | undefined;
  readonly now: Date;
}

/** What the machine and its files say, whatever the cluster knows of it. */
function judge({ vm, generated, state, units, drifted, leaf, now }: Facts): Judgement {
  const manifest = state.manifest;
  if (manifest === undefined) return { condition: 'not-joined', summary: message('status.not-joined') };
  const failed = units.find(
    (unit) =>
      unit.load !== 'loaded' ||
      !['active', 'reloading', 'activating'].includes(unit.active) ||
      (unit.active === 'activating' && unit.restarts > 0),
  );
  if (failed !== undefined)
    return {
      condition: 'failed',
      summary: message('status.unit-failed', { unit: failed.name, state: failed.load === 'loaded' ? failed.active : failed.load }),
    };
  const leftMs = leaf === undefined ? undefined : Date.parse(leaf.notAfter) - now.getTime();
  if (leaf !== undefined && leftMs !== undefined && leftMs <= 0)
    return { condition: 'failed', summary: message('status.expired', { time: leaf.notAfter }) };
  if (manifest.owner.cluster !== vm.cluster)
    return { condition: 'needs-person', summary: message('status.other-cluster', { cluster: manifest.owner.cluster }) };
  if (generated.conflicts.length > 0)
    return { condition: 'needs-person', summary: message('status.conflict', { paths: generated.conflicts.join(', ') }) };
  if (drifted.length > 0)
    return { condition: 'needs-push', summary: message('status.needs-push', { count: drifted.length, first: drifted[0] ?? '' }) };
  if (leaf !== undefined && leftMs !== undefined && leftMs < EXPIRING_PART * (Date.parse(leaf.notAfter) - Date.parse(leaf.notBefore))) {
    return { condition: 'expiring', summary: message('status.expiring', { left: span(leftMs) }) };
  }
  const starting = units.find((unit) => unit.active === 'activating');
  if (starting !== undefined) return { condition: 'pending', summary: message('status.starting', { unit: starting.name }) };
  return {
    condition: 'in-sync',
    summary: leftMs === undefined ? message('status.in-sync') : message('status.in-sync-certificate', { left: span(leftMs) }),
  };
}

/** Conditions that matter more than a VM that has not connected yet. */
const beforePending: readonly VmCondition[] = ['failed', 'needs-person', 'needs-push', 'expiring', 'not-joined'];

/** Joins what the machine says to how the cluster sees it: a failure of the machine explains why it is away, so it goes first. */
export function withEntry(own: Judgement, entry: WorkloadEntry | undefined, now: Date): Judgement {
  const away = entry === undefined ? undefined : awayFrom(entry, now);
  if (away === undefined || own.condition === 'failed' || own.condition === 'not-joined') return own;
  return away.condition === 'failed' || !beforePending.includes(own.condition) ? away : own;
}

/** What keeps a VM that the cluster lists out of the mesh; undefined where it is in. */
export function awayFrom(entry: WorkloadEntry, now: Date): Judgement | undefined {
  const since = span(now.getTime() - Date.parse(entry.since ?? now.toISOString()));
  if (entry.membership === 'unhealthy')
    return { condition: 'failed', summary: message('status.unhealthy', { reason: entry.reason ?? '-' }) };
  if (entry.membership === 'disconnected' || entry.membership === 'stale')
    return { condition: 'failed', summary: message(`status.${entry.membership}`, { since }) };
  return entry.membership === 'never' ? { condition: 'pending', summary: message('status.never-connected') } : undefined;
}

function tokenOf(state: HostState): TokenFacts | undefined {
  return state.files.find(({ token }) => token !== undefined)?.token;
}

/** The VM's own certificate: the one that names an identity. */
export function leafCertificate(state: HostState): CertificateFacts | undefined {
  return state.files
    .map(({ certificate }) => certificate)
    .find((facts) => facts !== undefined && facts.uris.length > 0 && facts.notAfter !== '');
}

/** `89 d`, `23 h`, `5 min`: as the tree shows it. */
export function span(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 60) return `${Math.max(0, minutes)} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}
