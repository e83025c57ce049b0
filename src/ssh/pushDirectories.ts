import type { PushDirectory } from '../mesh/ports.ts';
import { hostError } from './errors.ts';
import type { Situation } from './pushPlan.ts';
import { words } from './words.ts';

/** A directory that a push makes, or whose owner and mode it puts right. */
export interface DirectoryChange {
  /** Physical path. */
  readonly directory: string;
  /** Missing directories down to it, outermost first; empty when it is there. */
  readonly missing: readonly string[];
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

/** A name in a directory: its place (scripts/transaction.ts) is that of the directory. */
export function inside(path: string): string {
  return `${path}/.`;
}

/** Directories that are missing, and those of this project whose owner or mode differs. Throws `host.path-unsafe` where something else is in the way. */
export function planDirectories(host: string, directories: readonly PushDirectory[], situation: Situation): readonly DirectoryChange[] {
  const ours = situation.manifest?.created.paths ?? [];
  return directories.flatMap(({ path, mode, owner, group }) => {
    const place = situation.places.get(inside(path));
    if (place === undefined) throw hostError('host.command', { host, text: path });
    const { directory, missing } = place;
    const change: DirectoryChange = { directory, missing, mode, owner, group };
    if (missing.length > 0) return [change];
    const now = situation.described.get(path);
    const right = now?.mode === mode && now.owner === owner && now.group === group;
    const made = ours.some((top) => [path, directory].some((one) => one === top || one.startsWith(`${top}/`)));
    return right || !made || now?.kind !== 'directory' ? [] : [change];
  });
}

/** Shell lines that give the directories their owners and modes: outermost first, after everything in them that is root's was made. */
export function dressing(directories: readonly DirectoryChange[]): readonly string[] {
  return [...directories]
    .sort((a, b) => a.directory.length - b.directory.length)
    .map(({ directory, mode, owner, group }) => `dress ${words([directory, mode.toString(8).padStart(4, '0'), `${owner}:${group}`])}`);
}
