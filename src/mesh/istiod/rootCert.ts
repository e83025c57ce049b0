import { fileOf } from '../host/hostState.ts';
import type { GeneratedFile } from '../model.ts';
import type { HostState } from '../ports.ts';
import { ROOT_CERT } from './paths.ts';

/**
 * The agent writes the mesh's roots where it read them (OUTPUT_CERTS, istiod facts 2.3): the same certificates with other line ends, mode and group. That is
 * no drift: such a file is what is wanted. `file`: as it is generated.
 */
export function asAgentKeepsIt(file: GeneratedFile, state: HostState | undefined): GeneratedFile {
  const remote = fileOf(state, ROOT_CERT);
  const { content } = file;
  if (remote?.exists !== true || remote.text === undefined || content.kind !== 'text' || !isSame(remote.text, content.text)) return file;
  const { mode = file.mode, owner = file.owner, group = file.group } = remote;
  // What others can write is nobody's root.
  if ((mode & 0o022) !== 0) return file;
  return { ...file, mode: mode & 0o7777, owner, group, content: { ...content, text: remote.text } };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [blocks(one), blocks(other)];
  return a.size > 0 && a.size === b.size && [...a].every((block) => b.has(block));
}

function blocks(pem: string): ReadonlySet<string> {
  return new Set((pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((block) => block.replace(/\s/g, '')));
}
