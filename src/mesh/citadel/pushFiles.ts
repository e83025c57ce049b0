import type { GeneratedFile } from '../model.ts';
import type { HostState, PushFile, RemoteFile } from '../ports.ts';
import { sha256 } from '../hash.ts';
import { driftOf } from '../status.ts';
import type { FileDrift } from '../mesh.ts';
import { assignments, withVariables } from './envFile.ts';
import type { HostWork } from './joinContext.ts';
import { resolverFiles } from './resolver.ts';
import { SIDECAR_ENV } from './sidecarEnv.ts';

/** What is to be on the machine, given what is there now. */
export interface Target {
  readonly file: GeneratedFile;
  readonly drift: FileDrift;
  /** What must still be there when it is replaced: for files that were made from what was there. */
  readonly expect?: string;
}

/**
 * The generated files against the machine: sidecar.env merged into the text that the package brought in the meantime (citadel facts 4), the resolver's
 * files added where they were generated without the machine, certificates that its node agent renewed left out.
 */
export function targets(work: HostWork, files: readonly GeneratedFile[], state: HostState): readonly Target[] {
  const { entry } = work.scope;
  const resolver =
    work.scope.state === undefined && state.facts !== undefined ? resolverFiles(state, entry.istio.namespace, entry.clusterDomain) : [];
  const all = [...files, ...resolver.filter(({ path }) => !files.some((file) => file.path === path))];
  return all.map((file) => {
    const remote = remoteOf(state, file.path);
    const merged = file.path === SIDECAR_ENV ? mergedLate(work, file, remote) : file;
    const madeFromHost = file.path === SIDECAR_ENV || isHostText(file);
    return {
      file: merged,
      drift: driftOf(merged, remote),
      ...(madeFromHost ? { expect: hashOf(remote) } : {}),
    };
  });
}

/** A sidecar.env that was generated before the machine had one holds only our variables. */
function mergedLate(work: HostWork, file: GeneratedFile, remote: RemoteFile | undefined): GeneratedFile {
  const wasThere = remoteOf(work.scope.state, SIDECAR_ENV)?.exists === true;
  if (wasThere || remote?.exists !== true || file.content.kind !== 'text') return file;
  const variables = new Map(assignments(file.content.text).map(({ variable, value }) => [variable, value]));
  return { ...file, content: { ...file.content, text: withVariables(remote.text ?? '', variables) } };
}

function isHostText(file: GeneratedFile): boolean {
  return (
    file.content.kind === 'text' &&
    file.content.sources.some((line) => line.some(({ from }) => from.kind === 'host' && from.field === file.path))
  );
}

function hashOf(remote: RemoteFile | undefined): string | undefined {
  if (remote === undefined) return undefined;
  if (!remote.exists) return 'absent';
  return remote.sha256 ?? (remote.text === undefined ? undefined : sha256(remote.text));
}

function remoteOf(state: HostState | undefined, path: string): RemoteFile | undefined {
  return state?.files.find((file) => file.path === path);
}

export function pushFile({ file, expect }: Target): PushFile {
  const { path, mode, owner, group, content } = file;
  return { path, mode, owner, group, content: content.kind === 'text' ? content.text : content.secret, expect };
}
