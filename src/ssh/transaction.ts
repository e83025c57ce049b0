import type { HostManifest } from '../mesh/ports.ts';
import { manifestText } from './manifest.ts';
import { octets } from './octets.ts';
import { dressing, type DirectoryChange } from './pushDirectories.ts';
import { copyName, type Change } from './pushPlan.ts';
import { HELD, STATE_DIRECTORY, WAITING } from './scripts/state.ts';
import type { RemoteShell } from './shell.ts';
import { word, words } from './words.ts';

export const ORIGINALS = `${STATE_DIRECTORY}/originals`;
/** Earlier generations that are kept for roll back. */
const KEPT_GENERATIONS = 5;
const MANIFEST = 'manifest.json';
export const MANIFEST_PATH = `${STATE_DIRECTORY}/${MANIFEST}`;

/** What a generation changed, kept beside the earlier files: `before` says whether the earlier file is there, as `keptIn`. */
export interface GenerationRecord {
  readonly changes: readonly { readonly path: string; readonly before: 'absent' | 'kept' }[];
}

export function generationDirectory(generation: number): string {
  return `${STATE_DIRECTORY}/generations/${generation}`;
}

/** Where a generation keeps the file that was at the path before it. */
export function keptIn(generation: number, path: string): string {
  return `${generationDirectory(generation)}/files${path}`;
}

export interface Transaction {
  readonly changes: readonly Change[];
  readonly directories?: readonly DirectoryChange[];
  readonly adopted: readonly string[];
  readonly manifest: HostManifest;
  /** Whether a manifest is there already. */
  readonly hadManifest: boolean;
  /** Generation whose directory gets what is there now; undefined keeps nothing (a roll back makes no generation). */
  readonly record: number | undefined;
  /** Paths that are of no use after the change, e.g. the generation that was rolled back. */
  readonly obsolete?: readonly string[];
  /** Set where the shell has nothing more to do: it ends with the answer. */
  readonly last?: true;
}

/** A target of the change: a pushed file, or the manifest. */
interface Target {
  readonly directory: string;
  readonly name: string;
  readonly exists: boolean;
  /** `own`: a file of root's own in root's own directory, which needs neither owner nor mode. */
  readonly to: Change['to'] | { readonly kind: 'own'; readonly bytes: Uint8Array };
}

/**
 * Makes the changes and the manifest one act on a shell that has entered the state directory with the transaction's functions. Rejects with everything put
 * back. It is one part of the shell's work, which is not run where it does not arrive whole.
 */
export async function commitTransaction(shell: RemoteShell, transaction: Transaction): Promise<void> {
  const { changes, manifest, record } = transaction;
  const text = new TextEncoder().encode(manifestText(manifest));
  const targets: readonly Target[] = [
    ...changes.map(({ place, now, to }) => ({ directory: place.directory, name: place.name, exists: now.exists, to })),
    // Last: its rename is what makes the push complete.
    { directory: STATE_DIRECTORY, name: MANIFEST, exists: transaction.hadManifest, to: { kind: 'own', bytes: text } },
  ];
  const byDirectory = Map.groupBy(targets, (target) => target.directory);
  const directories = [...byDirectory.keys()];
  const held = directories.filter((directory) => byDirectory.get(directory)?.some((target) => target.exists));
  const missing = missingDirectories(transaction);
  const kept = record === undefined ? [] : keptPaths(transaction);
  const script = [
    'begin',
    `intend ${octets(lines(directories))} ${octets(lines([...[...missing].reverse(), 'end']))}`,
    ...(missing.length === 0 ? [] : [`mkdir -m 755 -- ${words(missing)}`]),
    `wait_in ${words([
      ...directories.map((directory) => `${directory}/${WAITING}`),
      ...held.map((directory) => `${directory}/${HELD}`),
      ...(record === undefined ? [] : [generationDirectory(record), `${generationDirectory(record)}/files`]),
    ])}`,
    ...[...byDirectory].flatMap(([directory, list]) => filling(directory, list)),
    ...dressing(transaction.directories ?? []),
    ...keeping(transaction, kept),
    ...held.map((directory) => `hold ${words([directory, ...(byDirectory.get(directory) ?? []).filter((one) => one.exists).map(above)])}`),
    `put ${STATE_DIRECTORY}/journal ${octets(lines([...targets.map(journalLine), 'end']))}`,
    `flush ${words(written(transaction, byDirectory, kept))}`,
    ...[...byDirectory].flatMap(([directory, list]) => replacing(directory, list)),
    `sync -- ${words(directories)}`,
    `commit ${words([
      ...(record === undefined || record <= KEPT_GENERATIONS ? [] : [generationDirectory(record - KEPT_GENERATIONS)]),
      ...(transaction.obsolete ?? []),
    ])}`,
  ].join('\n');
  await (transaction.last === true ? shell.askLast(script) : shell.ask(script));
}

function lines(list: readonly string[]): Uint8Array {
  return new TextEncoder().encode(list.map((line) => `${line}\n`).join(''));
}

/** scripts/state.ts, journal. */
function journalLine({ directory, name, exists, to }: Target): string {
  return [directory, name, exists ? 'old' : 'absent', to.kind === 'absent' ? 'absent' : 'new'].join('\t');
}

function above({ name }: Target): string {
  return `../${name}`;
}

/** Directories to make, outermost first. */
function missingDirectories({ changes, directories = [] }: Transaction): string[] {
  const places = [...changes.filter((change) => change.to.kind !== 'absent').map((change) => change.place), ...directories];
  const missing = new Set(places.flatMap((place) => place.missing));
  return [...missing].sort((a, b) => a.length - b.length);
}

/** The new files of a directory, with owner and mode: one process for all that share them. Owners first: chown takes set-id bits away again. */
function filling(directory: string, targets: readonly Target[]): string[] {
  const contents: string[] = [];
  const owners = new Map<string, string[]>();
  const modes = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: string, name: string): void => void map.set(key, [...(map.get(key) ?? []), name]);
  for (const { name, to } of targets) {
    const here = `./${name}`;
    if (to.kind === 'kept') contents.push(`cp -a -T -- ${words([to.source, here])}`);
    if (to.kind === 'bytes' || to.kind === 'own') contents.push(`put ${word(here)} ${octets(to.bytes)}`);
    if (to.kind !== 'bytes') continue;
    add(owners, `${to.owner}:${to.group}`, here);
    add(modes, to.mode.toString(8).padStart(4, '0'), here);
  }
  return [
    ...(contents.length === 0 ? [] : [`into ${word(directory)}`]),
    ...contents,
    ...[...owners].map(([owner, names]) => `own ${words([directory, owner, ...names])}`),
    ...[...modes].map(([mode, names]) => `set_mode ${words([directory, mode, ...names])}`),
  ];
}

/** Files whose present state the generation keeps: those that change, and the manifest. */
function keptPaths({ changes, hadManifest }: Transaction): string[] {
  return [...changes.filter((change) => change.now.exists).map((change) => change.path), ...(hadManifest ? [MANIFEST_PATH] : [])];
}

function originals({ changes, adopted }: Transaction): string[] {
  return [...changes.filter((change) => change.keepOriginal).map((change) => change.path), ...adopted];
}

/** Copies of what is there now, in root's own directories: originals, and the earlier generation with its manifest. */
function keeping(transaction: Transaction, kept: readonly string[]): string[] {
  const first = originals(transaction);
  const list = first.length === 0 ? [] : [`[ -d ${ORIGINALS} ] || mkdir -- ${ORIGINALS}`];
  list.push(...first.map((path) => `keep ${word(path)} ${ORIGINALS}/${copyName(path)}`));
  if (transaction.record === undefined) return list;
  const directory = generationDirectory(transaction.record);
  const record: GenerationRecord = {
    changes: transaction.changes.map((change) => ({ path: change.path, before: change.now.exists ? 'kept' : 'absent' })),
  };
  list.push(`put ${directory}/changes.json ${octets(new TextEncoder().encode(JSON.stringify(record)))}`);
  // From within: cp of coreutils 9.1 gives directories their modes relative to where it runs.
  if (kept.length > 0) list.push(`cd ${directory}/files`, `cp -a --parents -t . -- ${words(kept)}`);
  return list;
}

/** Everything that must be on the disk before the first target is replaced. The copies too: an original that is lost cannot be restored. */
function written(transaction: Transaction, byDirectory: ReadonlyMap<string, readonly Target[]>, kept: readonly string[]): string[] {
  const { record } = transaction;
  const waiting = [...byDirectory].flatMap(([directory, targets]) => [
    ...targets.filter((target) => target.to.kind !== 'absent').map((target) => `${directory}/${WAITING}/${target.name}`),
    `${directory}/${WAITING}`,
    ...(targets.some((target) => target.exists) ? [`${directory}/${HELD}`] : []),
  ]);
  const first = originals(transaction);
  const copies = [...(first.length === 0 ? [] : [ORIGINALS]), ...first.map((path) => `${ORIGINALS}/${copyName(path)}`)];
  if (record !== undefined) {
    const directory = generationDirectory(record);
    copies.push(directory, `${directory}/changes.json`, ...kept.map((path) => keptIn(record, path)));
  }
  return [...waiting, ...copies, `${STATE_DIRECTORY}/journal`, STATE_DIRECTORY];
}

/** The renames, all of a directory by one process. */
function replacing(directory: string, targets: readonly Target[]): string[] {
  const gone = targets.filter((target) => target.to.kind === 'absent');
  const fresh = targets.filter((target) => target.to.kind !== 'absent');
  return [
    ...(gone.length === 0 ? [] : [`take_away ${words([directory, ...gone.map(above)])}`]),
    ...(fresh.length === 0 ? [] : [`replace ${words([directory, ...fresh.map((target) => target.name)])}`]),
  ];
}
