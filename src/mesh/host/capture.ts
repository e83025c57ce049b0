import type { CallOptions, HostState, UnitChange } from '../ports.ts';
import { unitOf } from './hostState.ts';
import type { HostWork } from './hostWork.ts';
import type { Sidecar } from './sidecar.ts';

/** Stopping the sidecar for good: its capture rules may stay in the kernel after the unit is stopped (citadel facts 4, istiod facts 2.3). */

/** Rules that are not there are no error: no cleaner is believed by its exit code. */
export async function cleanCapture(work: Pick<HostWork, 'host' | 'sidecar'>, state: HostState, options?: CallOptions): Promise<void> {
  for (const command of work.sidecar.cleanCommands(state)) await work.host.run({ timeoutMs: 30_000, ...command }, options);
}

/** The change that stops the sidecar's units and keeps them from starting again. */
export function stopChange({ units }: Pick<Sidecar, 'units'>, state: HostState): UnitChange {
  const loaded = units.filter((name) => unitOf(state, name)?.load === 'loaded');
  const stop = loaded.filter((name) => !['inactive', 'failed'].includes(unitOf(state, name)?.active ?? ''));
  const disable = loaded.filter((name) => unitOf(state, name)?.enabled === 'enabled');
  return { ...(stop.length > 0 ? { stop } : {}), ...(disable.length > 0 ? { disable } : {}) };
}
