// The test suites and how each is run and counted. scripts/test.mjs decides which run, and in what order.
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { counted, mochaRun, start } from './counted.mjs';
import { root } from './dependencies.mjs';

const bin = (name, ...entry) => path.join(root, 'node_modules', name, ...entry);

/** Each of these counts as one test: passed when the program ends with 0. */
const lintSteps = [
  { name: 'eslint', args: [bin('eslint', 'bin', 'eslint.js'), '.'] },
  { name: 'prettier', args: [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', 'src', 'test', 'scripts', '*.mjs'] },
  { name: 'messages', args: [path.join(root, 'scripts', 'l10n.mjs')] },
  { name: 'typecheck', args: [bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', '.'] },
  {
    name: 'typecheck of the webviews',
    args: [bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'src/views/webview'],
    needs: 'src/views/webview/tsconfig.json',
  },
];

export async function runLint() {
  const counts = { passed: 0, failed: 0 };
  for (const step of lintSteps) {
    if (step.needs && !existsSync(path.join(root, step.needs))) continue;
    const code = await start(step.args, { limitMs: 5 * 60_000 });
    process.stdout.write(code === 0 ? `    ok ${step.name}\n` : `  FAILED ${step.name} (${code})\n`);
    if (code === 0) counts.passed += 1;
    else counts.failed += 1;
  }
  return counts;
}

export const runUnit = () => mochaRun('unit', ['test/unit/**/*.test.ts'], { limitMs: 5 * 60_000 });
export const runHost = (env) => counted('host', [path.join(root, 'test', 'host', 'run.ts')], { limitMs: 10 * 60_000, env });
export const runDesktop = (env) =>
  counted('desktop', [path.join(root, 'test', 'host', 'run.ts'), '--desktop'], { limitMs: 15 * 60_000, env });
export const runUi = (env) => mochaRun('ui', ['test/ui/**/*.test.ts'], { limitMs: 25 * 60_000, env });
/** Runs test/lab/lab.ts with one of its commands, and options after it, on the lab of that name. */
export const runLabCommand = (name, limitMs, ...words) =>
  start([path.join(root, 'test', 'lab', 'lab.ts'), ...words, '--name', name], { limitMs });
/** Builds what labs run, where it is missing; throws where that fails. */
export async function runLabBuild(limitMs) {
  const code = await start([path.join(root, 'test', 'lab', 'toolchain', 'build.ts')], { limitMs });
  if (code !== 0) throw new Error(`ended with ${code}`);
}
export { runLab } from './labSuite.mjs';
