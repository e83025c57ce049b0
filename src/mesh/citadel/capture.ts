import type { CallOptions, HostState, UnitChange, VmHost } from '../ports.ts';
import type { ReleaseFacts } from './releases.ts';
import { unitNames, unitOf } from './hostState.ts';

/** Stopping the sidecar for good: its capture rules stay in the kernel after the unit is stopped, and so do the rules that shut IPv6 out (citadel facts 4). */

/** Releases whose own cleaner is not there have the script of the others. */
const FALLBACK_CLEAN = '/usr/local/bin/istio-iptables.sh';

/** Files to ask a VM for, so that `captureCommands` knows which cleaner there is. */
export function cleanerPaths(facts: ReleaseFacts): readonly string[] {
  return [...new Set([facts.captureClean[0] ?? FALLBACK_CLEAN, FALLBACK_CLEAN])];
}

/** What takes the rules away; empty where the package is not there, and so no rules of its. */
export function captureCommands(facts: ReleaseFacts, state: HostState): readonly (readonly string[])[] {
  const there = (path: string | undefined): boolean => state.files.some((file) => file.path === path && file.exists);
  const clean = there(facts.captureClean[0]) ? facts.captureClean : there(FALLBACK_CLEAN) ? [FALLBACK_CLEAN, 'clean'] : undefined;
  return clean === undefined ? [] : [clean, ...facts.ipv6Rules.map((rule) => ['ip6tables', '-D', 'INPUT', ...rule])];
}

/** Rules that are not there are no error: neither script nor ip6tables is believed by its exit code. */
export async function cleanCapture(host: VmHost, facts: ReleaseFacts, state: HostState, options?: CallOptions): Promise<void> {
  for (const argv of captureCommands(facts, state)) await host.run({ argv, asRoot: true, timeoutMs: 30_000 }, options);
}

/** The change that stops both units and keeps them from starting again. */
export function stopChange(facts: ReleaseFacts, state: HostState): UnitChange {
  const loaded = unitNames(facts).filter((name) => unitOf(state, name)?.load === 'loaded');
  const stop = loaded.filter((name) => !['inactive', 'failed'].includes(unitOf(state, name)?.active ?? ''));
  const disable = loaded.filter((name) => unitOf(state, name)?.enabled === 'enabled');
  return { ...(stop.length > 0 ? { stop } : {}), ...(disable.length > 0 ? { disable } : {}) };
}
