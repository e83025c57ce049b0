// The allocator as one file, bundled once: to load the Kubernetes client's thousand modules anew would be most of what it computes in a lab.
import { createHash } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import type { BuildContext } from '../process.ts';
import { exists } from '../toolchain/builds.ts';

const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Absolute path of the program for Node; bundled where it is missing. Throws esbuild's error when that fails. */
export async function allocatorProgram({ cacheDirectory }: BuildContext): Promise<string> {
  const entry = path.join(import.meta.dirname, 'main.ts');
  const lockFile = path.join(import.meta.dirname, '../../../package-lock.json');
  const hash = createHash('sha256');
  for (const file of [import.meta.filename, entry, path.join(import.meta.dirname, 'plan.ts'), lockFile])
    hash.update(await readFile(file)).update('\0');
  const program = path.join(cacheDirectory, 'lab', 'allocator', `${hash.digest('hex').slice(0, 12)}.mjs`);
  if (await exists(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  await build({
    entryPoints: [entry],
    outfile: unfinished,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  await rename(unfinished, program);
  return program;
}
