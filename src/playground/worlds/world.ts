import type { Clock, ClusterApi } from '../../mesh/ports.ts';
import type { KeySource } from '../certificates.ts';
import type { Ledger } from '../machine/ledger.ts';
import type { Machine } from '../machine/machine.ts';

export interface WorldOptions {
  readonly clock: Clock;
  /** Milliseconds until a load balancer has its address. */
  readonly addressDelayMs: number;
  /** Plural resources that the user may not write. */
  readonly denied: readonly string[];
  /** The clock is a real one: what is repeated for ever may be. */
  readonly live: boolean;
  readonly newKeys: KeySource;
}

/** One embedded cluster and the machines beside it. */
export interface World {
  readonly cluster: ClusterApi;
  readonly machines: ReadonlyMap<string, { readonly machine: Machine; readonly ledger: Ledger }>;
  stop(): void;
}

/** What is known of a world before it is built: listing contacts nothing. */
export interface WorldPlan {
  readonly context: string;
  readonly machines: readonly { readonly name: string; readonly address: string }[];
  build(options: WorldOptions): Promise<World>;
}
