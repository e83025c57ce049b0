import type { MeshError } from '../mesh/errors.ts';
import { hostError, printable } from './errors.ts';
import type { ShellEnd } from './shell.ts';

/** Exit codes that our scripts choose; everything else comes from the program that failed. */
export const EXIT = { busy: 75, unsafePath: 76, notFile: 77, unrestored: 79 } as const;

/** What a script's end means, told from its exit code and the failed program's own words (LC_ALL=C). */
export function scriptError(host: string, end: ShellEnd): MeshError {
  const text = printable(end.stderr) || `exit code ${end.exitCode ?? '-'}`;
  if (end.exitCode === EXIT.busy) return hostError('host.busy', { host });
  if (end.exitCode === EXIT.unsafePath) return hostError('host.path-unsafe', { host, text });
  if (end.exitCode === EXIT.notFile) return hostError('host.path-unsafe', { host, text }, { text: 'not-file' });
  if (end.exitCode === EXIT.unrestored) return hostError('host.command', { host, text }, { text: 'unrestored' });
  if (/No space left on device|Disk quota exceeded/.test(end.stderr)) return hostError('host.disk-full', { host, text });
  if (end.stderr.includes('Read-only file system')) return hostError('host.read-only', { host, text });
  if (/invalid (user|group|spec)/.test(end.stderr)) return hostError('host.owner', { host, text });
  return hostError('host.command', { host, text });
}
