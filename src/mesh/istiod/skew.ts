import { installedVersion } from '../host/hostState.ts';
import { message } from '../messages.ts';
import type { StepDetail } from '../plan.ts';
import type { HostState, PackageFile } from '../ports.ts';
import { PACKAGE } from './sidecar.ts';

/** How far the sidecar's release is from istiod's, which serves its own and the one before. */

const minorOf = (version: string): number => Number(/^(?:\d+:)?\d+\.(\d+)/.exec(version)?.[1] ?? Number.NaN);

export function skewNotes(state: HostState, file: PackageFile | undefined, release: string): readonly StepDetail[] {
  const version = file?.version ?? installedVersion(state, PACKAGE);
  if (version === undefined) return [];
  const ahead = minorOf(version) - minorOf(release);
  const id = ahead > 0 ? 'istiod.skew.ahead' : ahead < -1 ? 'istiod.skew.behind' : undefined;
  return id === undefined ? [] : [{ kind: 'note', text: message(id, { version, release }) }];
}
