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

/** Who has a directory, and what others may do there. */
export type DirectoryEntry = Omit<FileEntry, 'bytes'>;
const ROOTS: DirectoryEntry = { mode: 0o755, owner: 'root', group: 'root' };

/** A machine's disk: files by absolute path, directories, and links to directories. */
export class MachineFiles {
  readonly #files = new Map<string, FileEntry>();
  readonly #directories = new Map<string, DirectoryEntry>(['/', '/etc', '/etc/dnsmasq.d', '/var/lib', '/run'].map((path) => [path, ROOTS]));
  readonly #links = new Map<string, string>([['/var/run', '/run']]);

  get(path: string): FileEntry | undefined {
    return this.#files.get(this.real(path));
  }

  text(path: string): string | undefined {
    const entry = this.get(path);
    return entry === undefined ? undefined : Buffer.from(entry.bytes).toString('utf8');
  }

  set(path: string, entry: FileEntry | undefined): void {
    if (entry === undefined) this.#files.delete(this.real(path));
    else this.#files.set(this.real(path), entry);
  }

  write(path: string, text: string, mode = 0o644, owner = 'root', group = owner): void {
    this.set(path, { bytes: Buffer.from(text), mode, owner, group });
  }

  append(path: string, text: string, owner: string): void {
    const before = this.get(path);
    this.set(path, {
      mode: 0o644,
      owner,
      group: owner,
      ...before,
      bytes: Buffer.concat([before?.bytes ?? new Uint8Array(), Buffer.from(text)]),
    });
  }

  /** Paths of the files below a directory, sorted. */
  below(directory: string): readonly string[] {
    const real = this.real(directory);
    return [...this.#files.keys()].filter((path) => path.startsWith(`${real}/`)).sort();
  }

  makeDirectory(path: string, entry: DirectoryEntry = ROOTS): void {
    this.#directories.set(this.real(path), entry);
  }

  /** A directory; undefined where there is none. */
  directory(path: string): DirectoryEntry | undefined {
    return this.#directories.get(this.real(path)) ?? (this.below(path).length > 0 ? ROOTS : undefined);
  }

  isDirectory(path: string): boolean {
    return this.directory(path) !== undefined;
  }

  link(path: string, target: string): void {
    this.#links.set(path, target);
  }

  isLink(path: string): boolean {
    return this.#links.has(path);
  }

  removeTree(path: string): void {
    if (this.#links.delete(path)) return;
    const real = this.real(path);
    for (const file of this.below(real)) this.#files.delete(file);
    this.#files.delete(real);
    for (const directory of [...this.#directories.keys()])
      if (directory === real || directory.startsWith(`${real}/`)) this.#directories.delete(directory);
  }

  /** The path with the links on its way followed. */
  real(path: string): string {
    for (const [link, target] of this.#links)
      if (path === link || path.startsWith(`${link}/`)) return `${target}${path.slice(link.length)}`;
    return path;
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
