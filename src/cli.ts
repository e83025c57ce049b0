#!/usr/bin/env node
import process from 'node:process';

/** The oldest Node that the Kubernetes client imports on (design: Decisions on dependencies). */
const OLDEST: readonly [number, number] = [22, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  // Before any bundle is loaded: an old Node could not load it.
  process.stderr.write(`mesh-expansion needs Node ${OLDEST.join('.')} or later; this is ${process.versions.node} (${process.execPath}).\n`);
  process.exitCode = 1;
} else {
  import('./cli/main.ts')
    .then(({ main }) => main(process.argv.slice(2)))
    .then(
      (code) => {
        process.exitCode = code;
      },
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exitCode = 1;
      },
    );
}
