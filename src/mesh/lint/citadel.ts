import type { VmScope } from '../era.ts';
import type { Finding, GeneratedFile } from '../model.ts';
import type { HostState } from '../ports.ts';
import { releaseFacts, type ReleaseFacts } from '../citadel/releases.ts';
import { fileRules } from './citadelFiles.ts';
import { hostRules } from './citadelHost.ts';
import { serviceRules } from './citadelServices.ts';

/** What a rule of the citadel era looks at. `state` only where the VM was asked. */
export interface LintInput {
  readonly scope: VmScope;
  readonly facts: ReleaseFacts;
  readonly files: readonly GeneratedFile[];
  readonly state: HostState | undefined;
  readonly now: Date;
}

export type LintRule = (input: LintInput) => readonly Finding[];

const rules: readonly LintRule[] = [...fileRules, ...serviceRules, ...hostRules];

/** All findings about a VM of the citadel era (citadel facts 9). */
export function citadelFindings(scope: VmScope, files: readonly GeneratedFile[], state?: HostState): readonly Finding[] {
  const facts = releaseFacts(scope.controlPlane.release);
  if (facts === undefined) return [];
  const input: LintInput = { scope, facts, files, state: state ?? scope.state, now: scope.ports.clock.now() };
  return rules.flatMap((rule) => rule(input));
}
