import type { RemoteFile } from '../mesh/ports.ts';

/** What `describe` (scripts/describe.ts) printed about one path. For a link, mode, owner and size are those of what it leads to. */
export interface Described {
  readonly exists: boolean;
  readonly kind?: RemoteFile['kind'];
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly leadsTo?: string;
}

/** The lines of `describe` by path; a path that was not printed does not exist. */
export function parseDescribed(lines: readonly string[]): Map<string, Described> {
  const found = new Map<string, Described>();
  const add = (path: string, part: Partial<Described>): void => void found.set(path, { exists: true, ...found.get(path), ...part });
  for (const line of lines) {
    const stat = /^(stat|linked) ([0-9a-f]+) (\S+) (\S+) (\d+) (\/.*)$/.exec(line);
    const leads = /^leads (.*)\t(\/.*)$/.exec(line);
    if (stat !== null) {
      const [, which, hex, owner, group, size, path] = stat;
      const mode = Number.parseInt(hex ?? '0', 16);
      add(path ?? '', { ...(which === 'stat' ? { kind: kindOf(mode) } : {}), mode: mode & 0o7777, owner, group, size: Number(size) });
    } else if (line.startsWith('hashes ')) {
      for (const entry of line.slice('hashes '.length).split('\0')) if (entry !== '') add(entry.slice(66), { sha256: entry.slice(0, 64) });
    } else if (leads?.[2] !== undefined) add(leads[2], { leadsTo: leads[1] });
  }
  return found;
}

function kindOf(mode: number): NonNullable<RemoteFile['kind']> {
  const kinds: Readonly<Record<number, NonNullable<RemoteFile['kind']>>> = { 0o100000: 'file', 0o120000: 'link', 0o040000: 'directory' };
  return kinds[mode & 0o170000] ?? 'other';
}
