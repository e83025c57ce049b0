import type * as vscode from 'vscode';
import { asMeshError, type MeshError } from '../mesh/errors.ts';
import type { CallOptions } from '../mesh/ports.ts';

/** Something that was read, or is being read: the last good value stays beside a later error. */
export interface Held<T> {
  readonly value?: T;
  readonly error?: MeshError;
  readonly loading: boolean;
  /** Milliseconds since 1970 of the last answer. */
  readonly at?: number;
}

const nothing = { loading: false } as const;

/** Values by name with the reads that are under way. */
export class Shelf<T> {
  readonly #held = new Map<string, Held<T>>();
  readonly #reads = new Map<string, { readonly abort: AbortController; readonly done: Promise<Held<T>> }>();
  readonly #changed: Pick<vscode.EventEmitter<void>, 'fire'>;

  constructor(changed: Pick<vscode.EventEmitter<void>, 'fire'>) {
    this.#changed = changed;
  }

  get(name: string): Held<T> {
    return this.#held.get(name) ?? nothing;
  }

  names(): readonly string[] {
    return [...this.#held.keys()];
  }

  read(name: string, work: (options: CallOptions) => Promise<T>): Promise<Held<T>> {
    const running = this.#reads.get(name);
    if (running !== undefined) return running.done;
    const abort = new AbortController();
    this.#set(name, { ...this.get(name), loading: true });
    const done = work({ signal: abort.signal })
      .then(
        (value): Held<T> => ({ value, loading: false, at: Date.now() }),
        (thrown: unknown): Held<T> => ({ value: this.get(name).value, error: asMeshError(thrown), loading: false, at: Date.now() }),
      )
      .then((held) => {
        // A read that was dropped meanwhile must not overwrite what came after it.
        if (!abort.signal.aborted) {
          this.#reads.delete(name);
          this.#set(name, held);
        }
        return held;
      });
    this.#reads.set(name, { abort, done });
    return done;
  }

  /** Reads after a read that is under way: what that one saw may be older than the change that this one is asked for. */
  async readAnew(name: string, work: (options: CallOptions) => Promise<T>): Promise<Held<T>> {
    await this.#reads.get(name)?.done;
    return this.read(name, work);
  }

  forget(name: string): void {
    this.#reads.get(name)?.abort.abort();
    this.#reads.delete(name);
    this.#held.delete(name);
  }

  clear(): void {
    for (const name of [...this.#reads.keys()]) this.forget(name);
    this.#held.clear();
  }

  #set(name: string, held: Held<T>): void {
    this.#held.set(name, held);
    this.#changed.fire();
  }
}
