import { cancelled, isMeshError } from './errors.ts';

/**
 * Values that are opened once and shared by everyone who asks at the same time or later. A failed opening is forgotten. One caller's cancellation ends that
 * caller's wait only: where it took the opening down with it, those who wait on open again.
 */
export class Shared<T> {
  readonly #values = new Map<string, Promise<T>>();

  async get(key: string, open: (signal?: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      if (signal?.aborted) throw cancelled(signal.reason);
      const present = this.#values.get(key);
      const value = present ?? this.#open(key, open(signal));
      try {
        return await withAbort(value, signal);
      } catch (error) {
        const othersCancelled = present !== undefined && isMeshError(error, 'cancelled') && signal?.aborted !== true;
        if (!othersCancelled) throw error;
        this.forget(key, value);
      }
    }
  }

  /** Forgets a value; with `only`, just that very one. */
  forget(key: string, only?: Promise<T>): void {
    if (only === undefined || this.#values.get(key) === only) this.#values.delete(key);
  }

  /** All that was opened, and forgets it. */
  async takeAll(): Promise<readonly T[]> {
    const values = [...this.#values.values()];
    this.#values.clear();
    const settled = await Promise.allSettled(values);
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  #open(key: string, value: Promise<T>): Promise<T> {
    this.#values.set(key, value);
    value.catch(() => this.forget(key, value));
    return value;
  }
}

function withAbort<T>(value: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return value;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(cancelled(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
