import type { VmScope } from '../era.ts';
import { assignments, withVariables } from '../host/envFile.ts';
import { fileOf } from '../host/hostState.ts';
import type { Adapted } from '../host/sidecar.ts';
import type { GeneratedFile } from '../model.ts';
import type { HostState, RemoteFile } from '../ports.ts';
import { resolverFiles } from './resolver.ts';
import { SIDECAR_ENV } from './sidecarEnv.ts';

/**
 * The generated files for this machine: sidecar.env merged into the text that the package brought in the meantime (citadel facts 4), the resolver's
 * files added where they were generated without the machine.
 */
export function adapt(scope: VmScope, files: readonly GeneratedFile[], state: HostState): readonly Adapted[] {
  const { entry } = scope;
  const resolver =
    scope.state === undefined && state.facts !== undefined ? resolverFiles(state, entry.istio.namespace, entry.clusterDomain) : [];
  const all = [...files, ...resolver.filter(({ path }) => !files.some((file) => file.path === path))];
  return all.map((file) =>
    file.path === SIDECAR_ENV ? { file: mergedLate(scope, file, fileOf(state, SIDECAR_ENV)), madeFromHost: true } : { file },
  );
}

/** A sidecar.env that was generated before the machine had one holds only our variables. */
function mergedLate(scope: VmScope, file: GeneratedFile, remote: RemoteFile | undefined): GeneratedFile {
  const wasThere = fileOf(scope.state, SIDECAR_ENV)?.exists === true;
  if (wasThere || remote?.exists !== true || file.content.kind !== 'text') return file;
  const variables = new Map(assignments(file.content.text).map(({ variable, value }) => [variable, value]));
  return { ...file, content: { ...file.content, text: withVariables(remote.text ?? '', variables) } };
}
