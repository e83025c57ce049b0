import { cancelled } from '../mesh/errors.ts';
import type { CallOptions, Clock } from '../mesh/ports.ts';

/** Lets a moment pass as a network would, so that progress and cancellation are seen. Throws `cancelled` when the caller's signal aborts. */
export async function pause(clock: Clock, milliseconds: number, options?: CallOptions): Promise<void> {
  if (options?.signal?.aborted) throw cancelled(options.signal.reason);
  try {
    await clock.sleep(milliseconds, options?.signal);
  } catch (error) {
    if (options?.signal?.aborted) throw cancelled(error);
    throw error;
  }
  if (options?.signal?.aborted) throw cancelled(options.signal.reason);
}

/** The clock of the machine that VS Code runs on. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(cancelled(signal?.reason));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};
