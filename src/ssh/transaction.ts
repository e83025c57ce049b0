import type { HostManifest } from '../mesh/ports.ts';
import { manifestText } from './manifest.ts';
import { dressing, type DirectoryChange } from './pushDirectories.ts';
import { copyName, type Change } from './pushPlan.ts';
import { STATE_DIRECTORY, WAITING } from './scripts/state.ts';
import type { RemoteShell } from './shell.ts';
import { word, words } from './words.ts';

export const ORIGINALS = `${STATE_DIRECTORY}/originals`;
/** Earlier generations that are kept for roll back. */
const KEPT_GENERATIONS = 5;

/** What a generation changed, kept beside the earlier files: `before` says whether the earlier file is there as `<copyName>`. */
export interface GenerationRecord {
  readonly changes: readonly { readonly path: string; readonly before: 'absent' | 'kept' }[];
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
  /** Shell text to run after the change is complete, e.g. removing the generation that was rolled back. */
  readonly afterwards?: string;
}

/** Makes the changes and the manifest one act on a shell that has entered the state directory with the transaction's functions. Rejects with everything put back. */
export async function commitTransaction(shell: RemoteShell, transaction: Transaction): Promise<void> {
  const { changes, manifest } = transaction;
  const manifestIndex = changes.length;
  const directories = [...new Set([...changes.map((change) => change.place.directory), STATE_DIRECTORY])];
  const receive: string[] = [];
  const data: Uint8Array[] = [];
  const take = (index: number, directory: string, bytes: Uint8Array): void => {
    receive.push(`receive ${index} ${word(directory)} ${bytes.length}`);
    data.push(bytes);
  };
  changes.forEach((change, index) => {
    if (change.to.kind === 'bytes') take(index, change.place.directory, change.to.bytes);
  });
  take(manifestIndex, STATE_DIRECTORY, Buffer.from(manifestText(manifest)));
  const generation = transaction.record === undefined ? undefined : `${STATE_DIRECTORY}/generations/${transaction.record}`;
  if (generation !== undefined) {
    const record: GenerationRecord = {
      changes: changes.map((change) => ({ path: change.path, before: change.now.exists ? 'kept' : 'absent' })),
    };
    const bytes = Buffer.from(JSON.stringify(record));
    receive.push(
      `[ ! -e ${generation} ] || rm -rf -- ${generation}`,
      `mkdir -p -- ${generation}`,
      `head -c ${bytes.length} >${generation}/changes.json`,
    );
    data.push(bytes);
  }
  const missing = missingDirectories(transaction);
  const lists = [directories, [...missing].reverse(), journalLines(transaction)].map((list) =>
    Buffer.from(list.map((line) => `${line}\n`).join('')),
  );
  // The first part only takes what is sent: were the connection lost on the way, the second, which does the work, would not be run.
  shell.send(
    [
      `begin ${lists.map((list) => list.length).join(' ')}`,
      ...(missing.length === 0 ? [] : [`mkdir -m 755 -- ${words(missing)}`]),
      `wait_in ${words(directories)}`,
      ...receive,
    ].join('\n'),
    ...lists,
    ...data,
  );
  await shell.ask(
    [
      ...ownership(changes),
      ...dressing(transaction.directories ?? []),
      ...keeping(transaction, generation),
      ...changes.flatMap((change, index) =>
        change.now.exists ? [`hold ${index} ${words([change.place.directory, change.place.name])}`] : [],
      ),
      ...(transaction.hadManifest ? [`hold ${manifestIndex} ${STATE_DIRECTORY} manifest.json`] : []),
      `journal ${words([...changes.flatMap((change, index) => (change.to.kind === 'absent' ? [] : [waiting(change, index)])), `${STATE_DIRECTORY}/${WAITING}/new-${manifestIndex}`])}`,
      ...changes.map((change, index) =>
        change.to.kind === 'absent'
          ? `take_away ${words([change.place.directory, change.place.name])}`
          : `replace ${index} ${words([change.place.directory, change.place.name])}`,
      ),
      `replace ${manifestIndex} ${STATE_DIRECTORY} manifest.json`,
      `commit ${words(directories)}`,
      ...(transaction.record === undefined || transaction.record <= KEPT_GENERATIONS
        ? []
        : [`rm -rf -- ${STATE_DIRECTORY}/generations/${transaction.record - KEPT_GENERATIONS}`]),
      ...(transaction.afterwards === undefined ? [] : [transaction.afterwards]),
    ].join('\n'),
  );
}

/** One line for each target (scripts/state.ts): index, directory, name, and whether something is there. */
function journalLines({ changes, hadManifest }: Transaction): string[] {
  const line = (index: number, directory: string, name: string, exists: boolean): string =>
    [index, directory, name, exists ? 'old' : 'absent'].join('\t');
  return [
    ...changes.map(({ place, now }, index) => line(index, place.directory, place.name, now.exists)),
    line(changes.length, STATE_DIRECTORY, 'manifest.json', hadManifest),
  ];
}

/** Directories to make, outermost first. */
function missingDirectories({ changes, directories = [] }: Transaction): string[] {
  const places = [...changes.filter((change) => change.to.kind !== 'absent').map((change) => change.place), ...directories];
  const missing = new Set(places.flatMap((place) => place.missing));
  return [...missing].sort((a, b) => a.length - b.length);
}

function waiting(change: Change, index: number): string {
  return `${change.place.directory}/${WAITING}/new-${index}`;
}

/** Owner and mode before the rename, one process for all files of a directory that share them. */
function ownership(changes: readonly Change[]): string[] {
  const calls = new Map<string, string[]>();
  const add = (call: string, index: number): void => void calls.set(call, [...(calls.get(call) ?? []), `./new-${index}`]);
  changes.forEach((change, index) => {
    if (change.to.kind !== 'bytes') return;
    add(`owned ${words([change.place.directory, `${change.to.owner}:${change.to.group}`])}`, index);
    add(`moded ${words([change.place.directory, change.to.mode.toString(8).padStart(4, '0')])}`, index);
  });
  // Owners first: chown takes set-id bits away again.
  return [...calls]
    .sort(([a], [b]) => Number(b.startsWith('owned')) - Number(a.startsWith('owned')))
    .map(([call, names]) => `${call} ${words(names)}`);
}

/** Originals, the earlier generation, and the kept files that come back. */
function keeping(transaction: Transaction, generation: string | undefined): string[] {
  const lines: string[] = [];
  const originals = [...transaction.changes.filter((change) => change.keepOriginal).map((change) => change.path), ...transaction.adopted];
  if (originals.length > 0)
    lines.push(`mkdir -p -- ${ORIGINALS}`, ...originals.map((path) => `keep ${word(path)} ${ORIGINALS}/${copyName(path)}`));
  if (generation !== undefined) {
    for (const change of transaction.changes)
      if (change.now.exists) lines.push(`keep ${word(change.path)} ${generation}/${copyName(change.path)}`);
    lines.push(`[ ! -e ${STATE_DIRECTORY}/manifest.json ] || keep ${STATE_DIRECTORY}/manifest.json ${generation}/manifest.json`);
  }
  transaction.changes.forEach((change, index) => {
    if (change.to.kind === 'kept') lines.push(`copy ${index} ${words([change.place.directory, change.to.source])}`);
  });
  return lines;
}
