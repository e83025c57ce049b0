import type * as vscode from 'vscode';
import type { MeshError } from '../mesh/errors.ts';
import { sha256 } from '../mesh/hash.ts';
import type { ChangedObject, ClusterOverview, Mesh } from '../mesh/mesh.ts';
import type { CallOptions, ListEnd, ObjectQuery } from '../mesh/ports.ts';
import type { OnListed } from '../mesh/oneReading.ts';
import { Shelf, type Held } from './shelf.ts';
import { digestsOf } from './watchNews.ts';

/** A cluster as it was read, and what of it the account may not watch. */
export interface ClusterFacts extends ClusterOverview {
  readonly unwatched?: readonly MeshError[];
}

/** What watches tell of: these objects, or `all` where nobody knows which. */
export type Changed = readonly ChangedObject[] | 'all';

/** Objects as a reading saw them: by name with what a watch tells them by, and where a watch may go on from the list. */
export interface Seen {
  readonly digests: ReadonlyMap<string, string>;
  readonly end?: ListEnd;
}

/** Beyond this many objects a whole reading asks less. */
const MOST_BY_NAME = 20;

type Asked = Pick<Mesh, 'overview' | 'overviewAfter' | 'controlPlane' | 'inventory'>;

export interface ReadingParts {
  readonly mesh: () => Promise<Asked>;
  readonly timeoutMs: () => number;
  readonly changed: Pick<vscode.EventEmitter<void>, 'fire'>;
  /** Told what a cluster was and is when it was read again. */
  readonly onReadAgain: (name: string, before: ClusterOverview, after: ClusterOverview) => void;
}

/** Clusters as they were read: as a whole, and then what watches say has changed. */
export class ClusterReadings {
  readonly #parts: ReadingParts;
  readonly #shelf: Shelf<ClusterOverview>;
  /** What the first reading saw, by cluster and query. */
  readonly #seen = new Map<string, Map<string, Seen>>();
  /** What has changed and no reading has begun since, by cluster. */
  readonly #changed = new Map<string, Changed>();
  readonly #unwatched = new Map<string, readonly MeshError[]>();
  /** Hash of the inventory that a cluster was read with: with another one, other services count. */
  readonly #inventories = new Map<string, string>();

  constructor(parts: ReadingParts) {
    this.#parts = parts;
    this.#shelf = new Shelf(parts.changed);
  }

  get(name: string): Held<ClusterFacts> {
    const held = this.#shelf.get(name);
    const unwatched = this.#unwatched.get(name);
    return unwatched === undefined || held.value === undefined ? held : { ...held, value: { ...held.value, unwatched } };
  }

  setUnwatched(name: string, refusals: readonly MeshError[]): void {
    if (refusals.length === 0 && !this.#unwatched.has(name)) return;
    if (refusals.length === 0) this.#unwatched.delete(name);
    else this.#unwatched.set(name, refusals);
    this.#parts.changed.fire();
  }

  names(): readonly string[] {
    return this.#shelf.names();
  }

  read(name: string): Promise<Held<ClusterOverview>> {
    return this.#shelf.read(name, (options) => this.#whole(name, options));
  }

  /** The control plane is looked for anew, too. */
  readAnew(name: string): Promise<Held<ClusterOverview>> {
    return this.#shelf.readAnew(name, (options) => this.#whole(name, options, true));
  }

  /** What a watch told, after a read that is under way. Reads asked for meanwhile become one, of everything that changed until it begins. */
  readChanged(name: string, changed: Changed): Promise<Held<ClusterOverview>> {
    const before = this.#changed.get(name) ?? [];
    this.#changed.set(name, before === 'all' || changed === 'all' ? 'all' : [...before, ...changed]);
    return this.#shelf.readAnew(name, (options) => this.#changes(name, options));
  }

  /** Looks for the control plane anew, and reads the cluster where that is another than what is shown. */
  async lookAgain(name: string, signal: AbortSignal): Promise<void> {
    const { value, error } = this.#shelf.get(name);
    if (value === undefined || error !== undefined) return;
    try {
      const mesh = await this.#parts.mesh();
      const found = await mesh.controlPlane(name, { fresh: true, signal, timeoutMs: this.#parts.timeoutMs() });
      if (JSON.stringify(found) === JSON.stringify(value.controlPlane)) return;
    } catch {
      // The reading meets the same trouble, and shows it.
    }
    if (!signal.aborted) await this.#shelf.readAnew(name, (options) => this.#whole(name, options));
  }

  /** Once: it is not kept for longer than until its watch begins. */
  takeSeen(name: string, query: ObjectQuery): Seen | undefined {
    const found = this.#seen.get(name)?.get(queryKey(query));
    this.#seen.get(name)?.delete(queryKey(query));
    return found;
  }

  clear(): void {
    this.#shelf.clear();
    this.#seen.clear();
    this.#changed.clear();
    this.#unwatched.clear();
    this.#inventories.clear();
  }

  async #whole(name: string, options: CallOptions, fresh = false): Promise<ClusterOverview> {
    const before = this.#shelf.get(name).value;
    const mesh = await this.#parts.mesh();
    const read = new Map<string, Seen>();
    const onListed: OnListed = (query, objects, end) => read.set(queryKey(query), { digests: digestsOf(objects), end });
    // What was read before is watched already, or is looked at again when a watch begins.
    const first = before === undefined ? { onListed } : {};
    this.#changed.delete(name);
    this.#inventories.set(name, inventoryOf(mesh));
    const after = await mesh.overview(name, { ...options, ...first, timeoutMs: this.#parts.timeoutMs(), fresh });
    this.#seen.set(name, read);
    if (before !== undefined) this.#parts.onReadAgain(name, before, after);
    return after;
  }

  async #changes(name: string, options: CallOptions): Promise<ClusterOverview> {
    const { value: before, error } = this.#shelf.get(name);
    const mesh = await this.#parts.mesh();
    const changed = this.#changed.get(name) ?? [];
    // After a failed reading nobody knows what has changed since the one before.
    const isKnown = before !== undefined && error === undefined && this.#inventories.get(name) === inventoryOf(mesh);
    if (!isKnown || changed === 'all' || changed.length > MOST_BY_NAME) return this.#whole(name, options);
    if (changed.length === 0) return before;
    this.#changed.delete(name);
    const after = await mesh.overviewAfter(name, before, changed, { ...options, timeoutMs: this.#parts.timeoutMs() });
    this.#parts.onReadAgain(name, before, after);
    return after;
  }
}

function inventoryOf(mesh: Pick<Mesh, 'inventory'>): string {
  return sha256(JSON.stringify(mesh.inventory()));
}

function queryKey({ apiVersion, kind, namespace, labelSelector, fieldSelector }: ObjectQuery): string {
  return JSON.stringify([apiVersion, kind, namespace, labelSelector, fieldSelector]);
}
