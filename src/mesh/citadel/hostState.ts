import type { HostState, UnitState } from '../ports.ts';
import type { ReleaseFacts } from './releases.ts';

/** Reading what a VM answered. */

export function unitNames(facts: ReleaseFacts): readonly string[] {
  return [facts.units.nodeAgent, facts.units.sidecar];
}

export function unitOf(state: HostState, name: string): UnitState | undefined {
  return state.units.find((unit) => unit.name === name || unit.name === `${name}.service`);
}

export function isInstalled(state: HostState, name: string): boolean {
  const found = state.packages.find((one) => one.name === name);
  return found?.version !== undefined && (found.status === undefined || found.status.endsWith(' installed'));
}
