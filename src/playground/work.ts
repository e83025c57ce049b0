import type { Clock } from '../mesh/ports.ts';

/** What goes on in a world beside the calls: begins after a moment, and can be waited for once it has begun. Nothing begins after `stop`. */
export class Work {
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  readonly #busy = new Set<Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(milliseconds: number, work: () => Promise<void> | void): void {
    this.#clock.sleep(milliseconds, this.#stopped.signal).then(
      () => this.now(work),
      // Stopped in the meantime: there is nothing left to do.
      () => undefined,
    );
  }

  now(work: () => Promise<void> | void): void {
    if (this.#stopped.signal.aborted) return;
    const guarded = Promise.resolve()
      .then(work)
      .finally(() => this.#busy.delete(guarded));
    this.#busy.add(guarded);
  }

  /** Until nothing that has begun is under way. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }

  stop(): void {
    this.#stopped.abort();
  }
}
