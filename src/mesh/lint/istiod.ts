import type { VmScope } from '../era.ts';
import type { Finding, GeneratedFile } from '../model.ts';
import type { HostState } from '../ports.ts';
import { fileRules } from './istiodFiles.ts';
import { hostRules } from './istiodHost.ts';

/** What a rule of the istiod era looks at. `state` only where the VM was asked. */
export interface LintInput {
  readonly scope: VmScope;
  readonly files: readonly GeneratedFile[];
  readonly state: HostState | undefined;
  readonly now: Date;
}

export type LintRule = (input: LintInput) => readonly Finding[];

const rules: readonly LintRule[] = [...fileRules, ...hostRules];

/** All findings about a VM of the istiod era (istiod facts 2, 5). */
export function istiodFindings(scope: VmScope, files: readonly GeneratedFile[], state?: HostState): readonly Finding[] {
  const input: LintInput = { scope, files, state: state ?? scope.state, now: scope.ports.clock.now() };
  return rules.flatMap((rule) => rule(input));
}
