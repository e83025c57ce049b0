// Runs a test program under Node 24 and counts its tests.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { root } from './dependencies.mjs';
import { node24, node24Environment } from './onNode24.mjs';
import { say } from './process.mjs';

const running = new Set();
let over = false;

/** Ends what runs, starts nothing more but what is `last`, and resolves when all of it is gone. */
export async function endPrograms() {
  over = true;
  for (const { kill } of running) kill('SIGTERM');
  const limit = setTimeout(() => running.forEach(({ kill }) => kill('SIGKILL')), 10_000);
  await Promise.all([...running].map(({ closed }) => closed));
  clearTimeout(limit);
}

/**
 * Runs a program under Node 24 in its own process group; answers its exit code, or a word where it was stopped. Its output goes to this
 * terminal at once, or, with `quiet`, in one piece when it ends: with `quiet: 'fine'` only where it does not end well. `behind`: it has the processors
 * while nothing else wants them.
 */
export async function start(args, { env = {}, limitMs, quiet = false, last = false, behind = false }) {
  if (over && !last) return 'not started: the run is being ended';
  const child = spawn(node24(), args, {
    cwd: root,
    // Most of what a test program computes is its start.
    env: { ...node24Environment(), NODE_COMPILE_CACHE: path.join(root, 'out', 'compiled'), ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  if (behind && child.pid !== undefined) putBehind(child.pid);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
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
  const life = quiet ? undefined : setInterval(() => say(`  still running (${Math.round((Date.now() - since) / 1000)} s)`), 60_000);
  const closed = new Promise((resolve) => {
    child.once('error', (error) => resolve(String(error)));
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  const entry = { kill, closed };
  running.add(entry);
  const code = await closed;
  running.delete(entry);
  clearInterval(life);
  clearTimeout(limit);
  process.off('exit', onExit);
  if (quiet !== 'fine' || code !== 0) process.stdout.write(Buffer.concat(output));
  return late ? `stopped after ${limitMs / 60_000} min` : code;
}

function putBehind(pid) {
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_LOW);
    // A priority counts among the programs of one session; this is that of its session (sched(7), autogroup).
    writeFileSync(`/proc/${pid}/autogroup`, String(os.constants.priority.PRIORITY_LOW));
  } catch {
    // It has ended already, or this kernel has no autogroups.
  }
}

/**
 * Runs a mocha program and reads from the report that it writes how many tests passed and failed, and `failures`: `{ title, text }` of each that
 * failed. A crash, a missing report and zero tests count as a failure.
 */
export async function counted(name, args, { env = {}, limitMs, quiet = false }) {
  const report = path.join(root, 'out', 'reports', `${name}.json`);
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const code = await start(args, { env: { ...env, MESH_TEST_REPORT: report }, limitMs, quiet });
  let counts = { passed: 0, failed: 0, failures: [], finished: false };
  if (existsSync(report)) counts = JSON.parse(readFileSync(report, 'utf8'));
  const { passed, failures } = counts;
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
    failures.push({ title: `the suite ${name}`, text: trouble });
    process.stdout.write(`  FAILED the suite ${name} ${trouble}\n`);
  }
  return { passed, failed, failures };
}

const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const reporter = path.join(root, 'test', 'report', 'reporter.cjs');

/** Runs mocha on these files or patterns. */
export function mochaRun(name, files, options) {
  return counted(name, [mocha, '--reporter', reporter, ...files], options);
}
