import { sha256 } from '../hash.ts';
import type { FileDrift } from '../mesh.ts';
import type { GeneratedFile } from '../model.ts';
import type { CallOptions, HostState, PushFile, RemoteFile } from '../ports.ts';
import { driftOf } from '../status.ts';
import { fileOf } from './hostState.ts';
import type { HostWork } from './hostWork.ts';
import type { Adapted } from './sidecar.ts';

/** What is to be on the machine, given what is there now. */
export interface Target {
  readonly file: GeneratedFile;
  readonly drift: FileDrift;
  /** What must still be there when it is replaced: for files that were made from what was there. */
  readonly expect?: string;
}

/** The generated files, adapted by the era, against the machine. */
export function targets(work: Pick<HostWork, 'scope' | 'sidecar'>, files: readonly GeneratedFile[], state: HostState): readonly Target[] {
  const adapted: readonly Adapted[] = work.sidecar.adapt?.(work.scope, files, state) ?? files.map((file) => ({ file }));
  return adapted.map(({ file, madeFromHost = isHostText(file) }) => {
    const remote = fileOf(state, file.path);
    return { file, drift: driftOf(file, remote), ...(madeFromHost ? { expect: hashOf(remote) } : {}) };
  });
}

/** Files of an earlier push that this machine no longer needs, e.g. of another resolver. */
export function droppedPaths(all: readonly Target[], state: HostState): readonly string[] {
  return (state.manifest?.files ?? []).map(({ path }) => path).filter((path) => !all.some(({ file }) => file.path === path));
}

/** Whether a push sends it: what the machine renews by itself, and a secret that it still has, is left as it is there. */
export function isPushed({ file, drift }: Target): boolean {
  return drift !== 'same' || (file.accepts === undefined && file.content.kind !== 'minted');
}

/** What is sent; a secret that is made on demand is made here. */
export async function pushFile({ file, expect }: Target, options?: CallOptions): Promise<PushFile> {
  const { path, mode, owner, group, content, ownLines } = file;
  return { path, mode, owner, group, content: await contentOf(content, options), expect, ...(ownLines === undefined ? {} : { ownLines }) };
}

async function contentOf(content: GeneratedFile['content'], options?: CallOptions): Promise<PushFile['content']> {
  if (content.kind === 'minted') return content.mint(options);
  return content.kind === 'text' ? content.text : content.secret;
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
