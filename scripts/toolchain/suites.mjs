// The suites that are one program each, and how it is run and counted. jobs.mjs has the others.
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { counted, start } from './counted.mjs';
import { root } from './dependencies.mjs';

const bin = (name, ...entry) => path.join(root, 'node_modules', name, ...entry);

/** Checks types in a fifth of the time of the one that ESLint's parser still needs, `typescript`. */
const tsc = bin('typescript-7', 'bin', 'tsc');

/** Checking types takes a quarter less of the processor where no garbage is collected below the limit. */
const GO_ENVIRONMENT = { GOGC: 'off', GOMEMLIMIT: '2GiB' };

/** Each of these counts as one test: passed when the program ends with 0. */
const lintSteps = [
  { name: 'oxlint', args: [bin('oxlint', 'bin', 'oxlint'), '.'] },
  { name: 'eslint', args: [bin('eslint', 'bin', 'eslint.js'), '.'] },
  { name: 'prettier', args: [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', 'src', 'test', 'scripts', '*.mjs'] },
  { name: 'messages', args: [path.join(root, 'scripts', 'l10n.mjs')] },
  { name: 'typecheck', args: [tsc, '--noEmit', '-p', '.'] },
  {
    name: 'typecheck of the webviews',
    args: [tsc, '--noEmit', '-p', 'src/views/webview'],
    needs: 'src/views/webview/tsconfig.json',
  },
];

export async function runLint({ quiet }) {
  const counts = { passed: 0, failed: 0, failures: [] };
  for (const step of lintSteps) {
    if (step.needs && !existsSync(path.join(root, step.needs))) continue;
    const code = await start(step.args, { limitMs: 15 * 60_000, quiet, behind: quiet, env: GO_ENVIRONMENT });
    process.stdout.write(code === 0 ? `    ok ${step.name}\n` : `  FAILED ${step.name} (${code})\n`);
    if (code === 0) counts.passed += 1;
    else {
      counts.failed += 1;
      counts.failures.push({ title: step.name, text: String(code) });
    }
  }
  return counts;
}

export const runHost = (env, options) =>
  counted('host', [path.join(root, 'test', 'host', 'run.ts')], { limitMs: 10 * 60_000, env, ...options });
export const runDesktop = (env, options) =>
  counted('desktop', [path.join(root, 'test', 'host', 'run.ts'), '--desktop'], { limitMs: 15 * 60_000, env, ...options });
