import { z } from 'zod';
import type { HostManifest } from '../mesh/ports.ts';
import { hostError } from './errors.ts';

const schema = z.object({
  version: z.literal(1),
  owner: z.object({ vm: z.string(), cluster: z.string(), era: z.string(), release: z.string() }),
  generation: z.number().int().nonnegative(),
  files: z.array(
    z.object({
      path: z.string(),
      sha256: z.string(),
      mode: z.number(),
      owner: z.string(),
      group: z.string(),
      time: z.string(),
      original: z.enum(['absent', 'kept']),
      ownLines: z.array(z.string()).optional(),
    }),
  ),
  packages: z.array(z.object({ name: z.string(), version: z.string(), before: z.string().optional() })),
  units: z.array(z.object({ name: z.string(), enabledBefore: z.string(), activeBefore: z.string() })),
  created: z.object({ paths: z.array(z.string()), users: z.array(z.string()), groups: z.array(z.string()) }),
});

/** The manifest as it lies on the VM. Throws `host.manifest` where it is not one of ours. */
export function parseManifest(text: string): HostManifest {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw hostError('host.manifest', { text: error instanceof z.ZodError ? z.prettifyError(error) : String(error) }, { cause: error });
  }
}

export function emptyManifest(owner: HostManifest['owner']): HostManifest {
  return { version: 1, owner, generation: 0, files: [], packages: [], units: [], created: { paths: [], users: [], groups: [] } };
}

export function manifestText(manifest: HostManifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Both lists of what was made, each thing once. */
export function joinCreated(one: HostManifest['created'], other: HostManifest['created']): HostManifest['created'] {
  const join = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])];
  return { paths: join(one.paths, other.paths), users: join(one.users, other.users), groups: join(one.groups, other.groups) };
}
