// Runs the tests: `node scripts/test.mjs [SUITE ...]`; without names, all. The last line is `N passed, N failed`. Runs on any Node >= 18.
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { packExtension } from './package.mjs';
import { ensureCodeServer } from './toolchain/codeServer.mjs';
import { endPrograms } from './toolchain/counted.mjs';
import { ensureDependencies, root } from './toolchain/dependencies.mjs';
import { jobsOf, suites } from './toolchain/jobs.mjs';
import { node24, node24Environment } from './toolchain/onNode24.mjs';
import { run, say } from './toolchain/process.mjs';
import { ensureChromium } from './toolchain/systemPackages.mjs';
import { buildLabs, createTestLabs } from './toolchain/testLabs.mjs';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in suites));
if (unknown.length > 0) {
  process.stderr.write(`Unknown suite ${unknown.join(', ')}; known: ${Object.keys(suites).join(', ')}\n`);
  process.exit(2);
}
const chosen = Object.keys(suites).filter((name) => (asked.length > 0 ? asked.includes(name) : !suites[name].only));
const total = { passed: 0, failed: 0 };
const failures = [];
const bySuite = new Map(chosen.map((name) => [name, { passed: 0, failed: 0 }]));
const labs = createTestLabs();
/** True once a signal has come: no job is begun any more. */
let stopped = false;

/** Counts what failed outside a test as one failed test, under its name. */
async function guarded(name, action) {
  try {
    return await action();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stdout.write(`  FAILED ${name}: ${text}\n`);
    return { passed: 0, failed: 1, failures: [{ title: name, text }] };
  }
}

function add(suite, counts) {
  for (const sum of [total, ...(suite ? [bySuite.get(suite)] : [])]) {
    sum.passed += counts.passed;
    sum.failed += counts.failed;
  }
  failures.push(...counts.failures);
}

/** Whether it was done: a preparation, without which nothing can run, or what a job of this suite needs around its tests. */
async function prepared(name, action, suite) {
  const failed = await guarded(name, async () => void (await action()));
  if (failed) add(suite, failed);
  return failed === undefined;
}

/** Jobs that run beside each other: they wait more than they compute, and a job with a lab takes up to 2.5 GB. */
function workers() {
  return Math.max(2, Math.min(os.cpus().length + 3, Math.floor(os.totalmem() / 2.5e9)));
}

async function runPart({ suite, title, run: tests }, env, quiet) {
  const begin = Date.now();
  const counts = await guarded(title, () => tests(env, quiet));
  add(suite, counts);
  say(`${title}: ${counts.passed} passed, ${counts.failed} failed, ${((Date.now() - begin) / 1000).toFixed(0)} s`);
}

/** Every job once: as many beside each other as there are workers, and what is to run behind them. */
async function runJobs(jobs) {
  const waiting = jobs.filter(({ behind }) => !behind);
  const running = new Set();
  const quiet = jobs.length > 1;
  const life = setInterval(() => say(`  running: ${[...running].join('; ')}; ${waiting.length} to come`), 60_000);
  const runJob = async ({ suite, title, labs: kinds, machines, parts }) => {
    running.add(title);
    const runParts = async (env) => {
      for (const part of parts) if (!stopped) await runPart(part, env, quiet);
    };
    await prepared(title, () => labs.with(kinds, machines, runParts), suite);
    running.delete(title);
  };
  const worker = async () => {
    for (let job = waiting.shift(); job !== undefined && !stopped; job = waiting.shift()) await runJob(job);
  };
  const behind = jobs.filter((job) => job.behind).map(runJob);
  await Promise.all([...behind, ...Array.from({ length: Math.min(waiting.length, workers()) }, worker)]);
  clearInterval(life);
}

async function main() {
  if (!(await prepared('npm ci', ensureDependencies))) return;
  let jobs = [];
  if (!(await prepared('list of jobs', () => (jobs = jobsOf(chosen))))) return;
  const needs = new Set(chosen.flatMap((name) => suites[name].on ?? []));
  // The messages and the JSON Schema are made by the build; lint and unit tests read them too.
  const build = needs.has('vsix')
    ? () => packExtension()
    : () => run(node24(), [path.join(root, 'esbuild.mjs')], { cwd: root, env: node24Environment() });
  const built = prepared('build', build);
  // Before any test: what jobs would install beside each other makes every one of them slow, once. apt-get first, for the labs use it too.
  const browser = needs.has('editor') ? await prepared('the browser', ensureChromium) : true;
  const editor = needs.has('editor') ? prepared('the editor', ensureCodeServer) : true;
  if (needs.has('labs')) say('Building what the labs run, where it is missing: the first time about 15 minutes');
  const programs = needs.has('labs') ? prepared('programs of the labs', () => buildLabs(40 * 60_000)) : true;
  if (browser && (await Promise.all([built, editor, programs])).every(Boolean)) await runJobs(jobs);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    stopped = true;
    const end = () => process.exit(code);
    // Lint and unit tests have no labs; one that is up then is somebody else's.
    const withLabs = chosen.some((name) => suites[name].on?.includes('labs'));
    endPrograms()
      .then(() => (withLabs ? labs.end() : undefined))
      .then(end, end);
  });
}
const since = Date.now();
await main();
// Once more at the end: among the lines of jobs that ran beside each other nobody finds them.
for (const { title, text } of failures) process.stdout.write(`  FAILED ${title}\n${text.slice(0, 800).replace(/^/gm, '         ')}\n`);
for (const [name, { passed, failed }] of bySuite) process.stdout.write(`  ${name.padEnd(8)} ${passed} passed, ${failed} failed\n`);
say(`All in ${((Date.now() - since) / 1000).toFixed(0)} s`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
