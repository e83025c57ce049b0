import { fileOf } from '../host/hostState.ts';
import type { HostState } from '../ports.ts';
import type { ReleaseFacts } from './releases.ts';

/** The capture rules stay in the kernel after the unit is stopped, and so do the rules that shut IPv6 out (citadel facts 4). */

/** Releases whose own cleaner is not there have the script of the others. */
const FALLBACK_CLEAN = '/usr/local/bin/istio-iptables.sh';

/** Files to ask a VM for, so that `captureCommands` knows which cleaner there is. */
export function cleanerPaths(facts: ReleaseFacts): readonly string[] {
  return [...new Set([facts.captureClean[0] ?? FALLBACK_CLEAN, FALLBACK_CLEAN])];
}

/** What takes the rules away; empty where the package is not there, and so no rules of its. */
export function captureCommands(facts: ReleaseFacts, state: HostState): readonly (readonly string[])[] {
  const there = (path = ''): boolean => fileOf(state, path)?.exists === true;
  const clean = there(facts.captureClean[0]) ? facts.captureClean : there(FALLBACK_CLEAN) ? [FALLBACK_CLEAN, 'clean'] : undefined;
  return clean === undefined ? [] : [clean, ...facts.ipv6Rules.map((rule) => ['ip6tables', '-D', 'INPUT', ...rule])];
}
