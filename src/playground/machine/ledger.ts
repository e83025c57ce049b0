import type { HostManifest, PushDirectory, PushFile, PushRequest, PushResult } from '../../mesh/ports.ts';
import type { Secret } from '../../mesh/secret.ts';
import { hostError } from './errors.ts';
import { sameEntry, sha256, type FileEntry } from './files.ts';
import type { Machine } from './machine.ts';

type Created = HostManifest['created'];
const MANIFEST = '/var/lib/mesh-expansion/manifest.json';

/** What this project did to an embedded machine: the manifest, the originals, and the generation before (design: A push is all or nothing). */
export class Ledger {
  readonly #machine: Machine;
  readonly #originals = new Map<string, FileEntry | undefined>();
  #manifest: HostManifest | undefined;
  #before: { readonly files: ReadonlyMap<string, FileEntry | undefined>; readonly manifest: HostManifest['files'] } | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get manifest(): HostManifest | undefined {
    return this.#manifest;
  }

  /** The manifest, made when this is the first time that the project touches the machine. */
  open(owner: HostManifest['owner']): HostManifest {
    const manifest = this.#manifest ?? {
      version: 1,
      owner,
      generation: 0,
      files: [],
      packages: [],
      units: [],
      created: { paths: [], users: [], groups: [] },
    };
    return this.#save({ ...manifest, owner });
  }

  update(change: Partial<HostManifest>): void {
    if (this.#manifest) this.#save({ ...this.#manifest, ...change });
  }

  remember(created: Created): void {
    if (!this.#manifest) return;
    const merge = (left: readonly string[], right: readonly string[]): string[] => [...new Set([...left, ...right])];
    const { paths, users, groups } = this.#manifest.created;
    this.update({
      created: { paths: merge(paths, created.paths), users: merge(users, created.users), groups: merge(groups, created.groups) },
    });
  }

  push(request: PushRequest): PushResult {
    const { files } = this.#machine;
    for (const file of [...request.files, ...(request.directories ?? [])]) this.#accept(file);
    const wanted = request.files.map((file) => ({ path: file.path, entry: entryOf(file), ownLines: file.ownLines }));
    const drop = (request.drop ?? []).filter((path) => this.#manifest?.files.some((file) => file.path === path));
    const changed = wanted.filter(({ path, entry }) => !sameEntry(files.get(path), entry));
    const unchanged = wanted.filter(({ path, entry }) => sameEntry(files.get(path), entry)).map(({ path }) => path);
    const manifest = this.open(request.owner);
    this.#makeDirectories(request.directories ?? []);
    const known = new Set(manifest.files.map((file) => file.path));
    if (changed.length > 0 || drop.length > 0) {
      const touched = [...changed.map(({ path }) => path), ...drop];
      this.#before = { files: new Map(touched.map((path) => [path, files.get(path)])), manifest: manifest.files };
    }
    for (const { path } of wanted) if (!known.has(path)) this.#originals.set(path, files.get(path));
    for (const { path, entry } of changed) files.set(path, entry);
    for (const path of drop) this.#restore(path);
    const generation = manifest.generation + (changed.length > 0 || drop.length > 0 ? 1 : 0);
    this.update({
      generation,
      files: this.#records(
        manifest.files,
        wanted,
        changed.map(({ path }) => path),
        drop,
      ),
    });
    return { changed: [...changed.map(({ path }) => path), ...drop], unchanged, generation };
  }

  rollback(): PushResult {
    const { files } = this.#machine;
    if (!this.#before || !this.#manifest) return { changed: [], unchanged: [], generation: this.#manifest?.generation ?? 0 };
    const { files: earlier, manifest } = this.#before;
    for (const [path, entry] of earlier) files.set(path, entry);
    this.#before = undefined;
    const generation = this.#manifest.generation + 1;
    this.update({ generation, files: manifest });
    return { changed: [...earlier.keys()], unchanged: [], generation };
  }

  restoreOriginals(): PushResult {
    if (!this.#manifest) return { changed: [], unchanged: [], generation: 0 };
    const paths = this.#manifest.files.map((file) => file.path);
    for (const path of paths) this.#restore(path);
    this.#before = undefined;
    const generation = this.#manifest.generation + 1;
    this.update({ generation, files: [] });
    return { changed: paths, unchanged: [], generation };
  }

  removeCreated(): void {
    const created = this.#manifest?.created;
    for (const path of created?.paths ?? []) this.#machine.files.removeTree(path);
    for (const user of created?.users ?? []) this.#machine.users.delete(user);
    for (const group of created?.groups ?? []) this.#machine.groups.delete(group);
    this.#manifest = undefined;
    this.#originals.clear();
    this.#machine.files.removeTree('/var/lib/mesh-expansion');
  }

  /** What is missing is made, all of it remembered; of the others only those that were made for the mesh get the wanted owner and mode. */
  #makeDirectories(directories: readonly PushDirectory[]): void {
    const { files } = this.#machine;
    for (const { path, mode, owner, group } of directories) {
      const missing = parentsOf(path).filter((parent) => !files.isDirectory(parent));
      for (const parent of missing) files.makeDirectory(parent);
      this.remember({ paths: missing, users: [], groups: [] });
      const made = this.#manifest?.created.paths.some((one) => path === one || path.startsWith(`${one}/`)) === true;
      if (made) files.makeDirectory(path, { mode, owner, group });
    }
  }

  #accept(file: Pick<PushFile, 'path' | 'owner' | 'group' | 'expect'>): void {
    const { files, users, groups, name } = this.#machine;
    if (!users.has(file.owner))
      throw hostError('host.command', 'no-user', { host: name, path: file.path, user: file.owner }, { next: true });
    if (!groups.has(file.group))
      throw hostError('host.command', 'no-user', { host: name, path: file.path, user: file.group }, { next: true });
    if (file.expect === undefined) return;
    const present = files.get(file.path);
    const found = present === undefined ? 'absent' : sha256(present.bytes);
    if (found !== file.expect) throw hostError('host.drift', 'drift', { host: name, path: file.path }, { kind: 'person', next: true });
  }

  #restore(path: string): void {
    this.#machine.files.set(path, this.#originals.get(path));
    this.#originals.delete(path);
  }

  #records(
    present: HostManifest['files'],
    wanted: readonly { path: string; entry: FileEntry; ownLines?: readonly string[] }[],
    changed: readonly string[],
    drop: readonly string[],
  ): HostManifest['files'] {
    const time = this.#machine.clock.now().toISOString();
    const records = new Map(present.filter((file) => !drop.includes(file.path)).map((file) => [file.path, file]));
    for (const { path, entry, ownLines } of wanted) {
      const old = records.get(path);
      const record = { path, sha256: sha256(entry.bytes), mode: entry.mode, owner: entry.owner, group: entry.group };
      records.set(path, {
        ...record,
        time: old && !changed.includes(path) ? old.time : time,
        original: old?.original ?? (this.#originals.get(path) === undefined ? 'absent' : 'kept'),
        ...(ownLines === undefined ? {} : { ownLines: changed.includes(path) ? ownLines : (old?.ownLines ?? []) }),
      });
    }
    return [...records.values()];
  }

  #save(manifest: HostManifest): HostManifest {
    this.#manifest = manifest;
    this.#machine.files.write(MANIFEST, `${JSON.stringify(manifest, undefined, 2)}\n`, 0o600);
    return manifest;
  }
}

/** `/a`, `/a/b`, `/a/b/c` for `/a/b/c`. */
function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

function entryOf(file: PushFile): FileEntry {
  const { content } = file;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content instanceof Uint8Array ? content : revealed(content);
  return { bytes, mode: file.mode, owner: file.owner, group: file.group };
}

// Bundles do not share classes: a Secret of another bundle is told by its shape.
function revealed(content: Pick<Secret, 'reveal'>): Uint8Array {
  return content.reveal();
}
