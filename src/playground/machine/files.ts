import { createHash } from 'node:crypto';

export interface FileEntry {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function sameEntry(left: FileEntry | undefined, right: FileEntry): boolean {
  if (!left) return false;
  const sameOwner = left.owner === right.owner && left.group === right.group;
  return left.mode === right.mode && sameOwner && Buffer.compare(left.bytes, right.bytes) === 0;
}

/** A machine's disk: files by absolute path, and directories. */
export class MachineFiles {
  readonly #files = new Map<string, FileEntry>();
  readonly #directories = new Set<string>(['/', '/etc', '/etc/dnsmasq.d', '/var/lib']);

  get(path: string): FileEntry | undefined {
    return this.#files.get(path);
  }

  text(path: string): string | undefined {
    const entry = this.#files.get(path);
    return entry === undefined ? undefined : Buffer.from(entry.bytes).toString('utf8');
  }

  set(path: string, entry: FileEntry | undefined): void {
    if (entry === undefined) this.#files.delete(path);
    else this.#files.set(path, entry);
  }

  write(path: string, text: string, mode = 0o644, owner = 'root', group = owner): void {
    this.set(path, { bytes: Buffer.from(text), mode, owner, group });
  }

  /** Paths of the files below a directory, sorted. */
  below(directory: string): readonly string[] {
    return [...this.#files.keys()].filter((path) => path.startsWith(`${directory}/`)).sort();
  }

  makeDirectory(path: string): void {
    this.#directories.add(path);
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path) || this.below(path).length > 0;
  }

  removeTree(path: string): void {
    for (const file of this.below(path)) this.#files.delete(file);
    this.#files.delete(path);
    for (const directory of [...this.#directories])
      if (directory === path || directory.startsWith(`${path}/`)) this.#directories.delete(directory);
  }
}

/** `NAME=value` lines of an env file, as a shell that sources it reads them; later lines win. */
export function readEnv(text: string | undefined): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const line of (text ?? '').split('\n')) {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (match?.[1] !== undefined) values[match[1]] = (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2');
  }
  return values;
}
