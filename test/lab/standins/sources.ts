// What the stand-ins are built from, and the name of the result: the same sources always give the same one.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export const GO_MODULE = path.join(import.meta.dirname, 'go');
export const PACKAGE_FILES = path.join(import.meta.dirname, 'package');

/** Twelve hex digits over every file of the Go module, of the package, and of the builder itself. */
export async function sourceKey(): Promise<string> {
  const hash = createHash('sha256');
  const builders = ['deb.ts', 'build.ts', '../toolchain/debPackage.ts'].map((name) => path.join(import.meta.dirname, name));
  for (const file of [...(await filesUnder(GO_MODULE)), ...(await filesUnder(PACKAGE_FILES)), ...builders]) {
    hash
      .update(`${path.relative(import.meta.dirname, file)}\0`)
      .update(await readFile(file))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
