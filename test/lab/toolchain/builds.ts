// Directories of what was built once, each named by the hash of what it was built from.
import { access, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

const DAY = 86_400_000;

/** Older builds go after a day: a running lab may still serve packages from one. */
export async function dropOld(home: string, current: string): Promise<void> {
  for (const entry of await readdir(home, { withFileTypes: true })) {
    if (!entry.isDirectory() || !/^[0-9a-f]{12}/.test(entry.name) || entry.name === current) continue;
    const old = path.join(home, entry.name);
    if (Date.now() - (await stat(old)).mtimeMs > DAY) await rm(old, { recursive: true, force: true });
  }
}

export function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
