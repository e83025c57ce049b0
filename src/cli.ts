#!/usr/bin/env node
import process from 'node:process';
import { languageOf, loadTexts } from './cli/language.ts';
import { message } from './mesh/messages.ts';

/** The oldest Node that the Kubernetes client imports on (design: Decisions on dependencies). */
const OLDEST: readonly [number, number] = [22, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  // Before any bundle is loaded: an old Node could not load it.
  refuse(process.versions.node);
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

function refuse(version: string): void {
  const texts = loadTexts(languageOf(process.env));
  const oldest = OLDEST.join('.');
  const error = {
    code: 'cli.node',
    message: texts(message('cli.node', { oldest, version, program: process.execPath })),
    nextStep: texts(message('cli.node.next', { oldest })),
  };
  process.stderr.write(
    `${texts(message('cli.error', { text: error.message }))}\n  ${texts(message('cli.next', { text: error.nextStep }))}\n`,
  );
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ version: 1, command: '', results: [], error }, null, 2)}\n`);
  process.exitCode = 1;
}
