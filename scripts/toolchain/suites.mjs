// The test suites and how each is run and counted. scripts/test.mjs decides which run, and in what order.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { root } from './dependencies.mjs';
import { node24, node24Environment } from './onNode24.mjs';
import { say } from './process.mjs';

const bin = (name, ...entry) => path.join(root, 'node_modules', name, ...entry);
const mocha = bin('mocha', 'bin', 'mocha.js');
const reporter = path.join(root, 'test', 'report', 'reporter.cjs');
const noCount = { passed: 0, failed: 0 };

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

/** Runs a program under Node 24 in its own process group, its output on this terminal; answers its exit code, or a word where it was stopped. */
async function start(args, { env = {}, limitMs }) {
  const child = spawn(node24(), args, {
    cwd: root,
    env: { ...node24Environment(), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const kill = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    kill('SIGTERM');
    setTimeout(() => kill('SIGKILL'), 10_000).unref();
  }, limitMs);
  const onExit = () => kill('SIGTERM');
  process.once('exit', onExit);
  const since = Date.now();
  const life = setInterval(() => say(`  still running (${Math.round((Date.now() - since) / 1000)} s)`), 60_000);
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(String(error)));
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  clearInterval(life);
  clearTimeout(limit);
  process.off('exit', onExit);
  return late ? `stopped after ${limitMs / 60_000} min` : code;
}

/** Runs a mocha program and reads its counts from the report that it writes; a crash, a missing report and zero tests count as a failure. */
async function counted(name, args, { env = {}, limitMs }) {
  const report = path.join(root, 'out', 'reports', `${name}.json`);
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const code = await start(args, { env: { ...env, MESH_TEST_REPORT: report }, limitMs });
  let counts = { ...noCount, finished: false };
  if (existsSync(report)) counts = JSON.parse(readFileSync(report, 'utf8'));
  const { passed } = counts;
  let { failed } = counts;
  const trouble = !counts.finished
    ? `did not finish (${code})`
    : passed + failed === 0
      ? 'ran no test'
      : failed === 0 && code !== 0
        ? `ended with ${code}`
        : undefined;
  if (trouble) {
    failed += 1;
    process.stdout.write(`  FAILED the suite ${name} ${trouble}\n`);
  }
  return { passed, failed };
}

function mochaRun(name, files, limitMs, env) {
  return counted(name, [mocha, '--reporter', reporter, ...files], { env, limitMs });
}

export async function runLint() {
  const counts = { ...noCount };
  for (const step of lintSteps) {
    if (step.needs && !existsSync(path.join(root, step.needs))) continue;
    const code = await start(step.args, { limitMs: 5 * 60_000 });
    process.stdout.write(code === 0 ? `    ok ${step.name}\n` : `  FAILED ${step.name} (${code})\n`);
    if (code === 0) counts.passed += 1;
    else counts.failed += 1;
  }
  return counts;
}

export const runUnit = () => mochaRun('unit', ['test/unit/**/*.test.ts'], 5 * 60_000);
export const runHost = (env) => counted('host', [path.join(root, 'test', 'host', 'run.ts')], { limitMs: 10 * 60_000, env });
export const runDesktop = (env) =>
  counted('desktop', [path.join(root, 'test', 'host', 'run.ts'), '--desktop'], { limitMs: 15 * 60_000, env });
export const runLab = (env) => mochaRun('lab', ['test/lab/**/*.test.ts'], 20 * 60_000, env);
export const runUi = (env) => mochaRun('ui', ['test/ui/**/*.test.ts'], 15 * 60_000, env);
/** Runs test/lab/lab.ts with one of its commands on the lab of that name. */
export const runLabCommand = (command, name, limitMs) =>
  start([path.join(root, 'test', 'lab', 'lab.ts'), command, '--name', name], { limitMs });
