import { createHash } from 'node:crypto';
import type { HostManifest, PushFile, PushRequest } from '../mesh/ports.ts';
import type { Described } from './describe.ts';
import { hostError } from './errors.ts';
import { planDirectories, type DirectoryChange } from './pushDirectories.ts';

/** Where a path really lies, from `place` (scripts/transaction.ts). */
export interface Place {
  /** Physical directory of the nearest parent that exists. */
  readonly base: string;
  /** Missing directories below it, outermost first; empty when the directory is there. */
  readonly missing: readonly string[];
  /** Physical directory of the file, once the missing ones are made. */
  readonly directory: string;
  readonly name: string;
}

/** One file of a transaction. */
export interface Change {
  readonly path: string;
  readonly place: Place;
  readonly now: Described;
  /** What to put there: bytes sent along, a file kept on the VM, or nothing. */
  readonly to:
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly mode: number; readonly owner: string; readonly group: string }
    | { readonly kind: 'kept'; readonly source: string }
    | { readonly kind: 'absent' };
  /** Set where what is there now is the machine's own and must be kept as the original. */
  readonly keepOriginal: boolean;
}

/** What a VM says before a push: manifest, the files, their places. */
export interface Situation {
  readonly manifest: HostManifest | undefined;
  readonly described: ReadonlyMap<string, Described>;
  readonly places: ReadonlyMap<string, Place>;
}

export interface PushPlan {
  readonly changes: readonly Change[];
  readonly directories: readonly DirectoryChange[];
  readonly unchanged: readonly string[];
  /** Files that are right already but not recorded yet: their originals are themselves. */
  readonly adopted: readonly string[];
  /** The manifest afterwards; the one before where nothing changes. */
  readonly manifest: HostManifest;
}

/** Name of a path's copy in root's directories. */
export function copyName(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32);
}

export function bytesOf(file: PushFile): Uint8Array {
  const content = file.content;
  if (typeof content === 'string') return new TextEncoder().encode(content);
  return content instanceof Uint8Array ? content : content.reveal();
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Parses the `place` lines. */
export function parsePlaces(lines: readonly string[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const line of lines) {
    const match = /^place (\/.*)\t(\/.*)\t(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, base = '/', reached = '/', path = ''] = match;
    const slash = path.lastIndexOf('/');
    const below = path
      .slice(reached === '/' ? 0 : reached.length, slash)
      .split('/')
      .filter((segment) => segment !== '');
    const missing: string[] = [];
    let directory = base;
    for (const segment of below) {
      directory = `${directory === '/' ? '' : directory}/${segment}`;
      missing.push(directory);
    }
    places.set(path, { base, missing, directory, name: path.slice(slash + 1) });
  }
  return places;
}

/**
 * What a push does: files that differ in content, mode, owner or kind are replaced, the rest is not touched; dropped files get their originals back.
 * Throws `host.drift` where a file is not as the caller expects, `host.path-unsafe` for a directory in the way or two names of one file.
 */
export function planPush(host: string, request: PushRequest, situation: Situation, originals: string, now: Date): PushPlan {
  const before = situation.manifest;
  const recorded = new Map((before?.files ?? []).map((file) => [file.path, file]));
  const changes: Change[] = [];
  const unchanged: string[] = [];
  const adopted: string[] = [];
  const files = new Map(recorded);
  const taken = new Map<string, string>();
  for (const file of request.files) {
    const { state, place } = lookUp(host, file.path, situation);
    const physical = `${place.directory}/${place.name}`;
    const other = taken.get(physical);
    if (other !== undefined) throw hostError('host.path-unsafe', { host, text: `${other}, ${file.path}` }, { text: 'path-twice' });
    taken.set(physical, file.path);
    if (file.expect !== undefined && file.expect !== (state.exists ? (state.sha256 ?? '') : 'absent'))
      throw hostError('host.drift', { host, path: file.path });
    const bytes = bytesOf(file);
    const hash = sha256(bytes);
    const known = recorded.get(file.path);
    const same =
      state.kind === 'file' &&
      state.sha256 === hash &&
      state.mode === file.mode &&
      state.owner === file.owner &&
      state.group === file.group;
    if (same) unchanged.push(file.path);
    else
      changes.push({
        path: file.path,
        place,
        now: state,
        to: { kind: 'bytes', bytes, mode: file.mode, owner: file.owner, group: file.group },
        keepOriginal: known === undefined && state.exists,
      });
    if (same && known?.sha256 === hash && known.mode === file.mode && known.owner === file.owner && known.group === file.group) continue;
    if (same && known === undefined) adopted.push(file.path);
    files.set(file.path, {
      path: file.path,
      sha256: hash,
      mode: file.mode,
      owner: file.owner,
      group: file.group,
      time: now.toISOString(),
      original: known?.original ?? (state.exists ? 'kept' : 'absent'),
      // A line that was there before the first push is not ours.
      ...(file.ownLines === undefined ? {} : { ownLines: same ? (known?.ownLines ?? []) : file.ownLines }),
    });
  }
  for (const path of request.drop ?? []) {
    const known = recorded.get(path);
    if (known === undefined) continue;
    const { state, place } = lookUp(host, path, situation);
    files.delete(path);
    if (known.original === 'kept')
      changes.push({ path, place, now: state, to: { kind: 'kept', source: `${originals}/${copyName(path)}` }, keepOriginal: false });
    else if (state.exists) changes.push({ path, place, now: state, to: { kind: 'absent' }, keepOriginal: false });
  }
  const directories = planDirectories(host, request.directories ?? [], situation);
  const made = [...changes.filter((change) => change.to.kind !== 'absent').map((change) => change.place), ...directories];
  const created = [...new Set(made.flatMap((place) => place.missing))];
  const list = [...files.values()];
  const quiet =
    changes.length === 0 &&
    directories.length === 0 &&
    before !== undefined &&
    JSON.stringify(list) === JSON.stringify(before.files) &&
    sameOwner(request.owner, before.owner);
  const manifest: HostManifest = {
    version: 1,
    owner: request.owner,
    generation: (before?.generation ?? 0) + (quiet ? 0 : 1),
    files: list,
    packages: before?.packages ?? [],
    units: before?.units ?? [],
    created: {
      paths: [...new Set([...(before?.created.paths ?? []), ...created])],
      users: before?.created.users ?? [],
      groups: before?.created.groups ?? [],
    },
  };
  return { changes, directories, unchanged, adopted, manifest: quiet ? before : manifest };
}

function sameOwner(a: HostManifest['owner'], b: HostManifest['owner']): boolean {
  return a.vm === b.vm && a.cluster === b.cluster && a.era === b.era && a.release === b.release;
}

/** A path's state and place. Throws `host.path-unsafe` where a directory or a device is in the way. */
export function lookUp(
  host: string,
  path: string,
  situation: Pick<Situation, 'described' | 'places'>,
): { readonly state: Described; readonly place: Place } {
  const state = situation.described.get(path) ?? { exists: false };
  const place = situation.places.get(path);
  if (place === undefined) throw hostError('host.command', { host, text: path });
  if (state.exists && state.kind !== 'file' && state.kind !== 'link')
    throw hostError('host.path-unsafe', { host, text: path }, { text: 'not-file' });
  return { state, place };
}
