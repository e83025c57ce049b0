import type { Message } from './messages.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Limit of this call in milliseconds; each implementation has a default. */
  readonly timeoutMs?: number;
  readonly onProgress?: (progress: Message) => void;
}
