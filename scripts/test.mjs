// Runs the tests: `node scripts/test.mjs [SUITE ...]`; without names, all. The last line is `N passed, N failed`. Runs on any Node >= 18.
import { createHash } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { packExtension } from './package.mjs';
import { ensureDependencies, root } from './toolchain/dependencies.mjs';
import { node24, node24Environment } from './toolchain/onNode24.mjs';
import { run, say } from './toolchain/process.mjs';
import { runDesktop, runHost, runLab, runLabBuild, runLabCommand, runLint, runUi, runUnit } from './toolchain/suites.mjs';

/** In the order in which they run. `on`: what must be there before; `labs`: the kinds of labs that are up meanwhile. */
const suites = {
  lint: { run: runLint },
  unit: { run: runUnit },
  host: { run: runHost, on: ['build'], labs: ['citadel'] },
  lab: { run: runLab, on: ['build'], labs: ['citadel', 'istiod'] },
  ui: { run: runUi, on: ['vsix'], labs: ['citadel', 'istiod'] },
  desktop: { run: runDesktop, on: ['build'], labs: ['citadel'], only: true },
};
/** By kind of lab: the variable that names it for a suite, and what is added to the suite's name for it. */
const labKinds = {
  citadel: { variable: 'MESH_LAB', suffix: '' },
  istiod: { variable: 'MESH_ISTIOD_LAB', suffix: '-i' },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in suites));
if (unknown.length > 0) {
  process.stderr.write(`Unknown suite ${unknown.join(', ')}; known: ${Object.keys(suites).join(', ')}\n`);
  process.exit(2);
}
const chosen = Object.entries(suites).filter(([name, suite]) => (asked.length > 0 ? asked.includes(name) : !suite.only));
const needs = new Set(chosen.flatMap(([, suite]) => suite.on ?? []));
const total = { passed: 0, failed: 0 };
const rows = [];

/** Counts a preparation that failed as one failed test, under its name. */
async function prepare(name, action) {
  try {
    await action();
    return true;
  } catch (error) {
    process.stdout.write(`  FAILED ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    total.failed += 1;
    return false;
  }
}

/** Part of the labs' names: two copies of the project on one machine do not share labs. */
const copy = createHash('sha256').update(root).digest('hex').slice(0, 4);

/** The suite's own labs that are up, or coming up: taken down after it. */
const labsInUse = new Set();

async function labCommand(name, minutes, ...words) {
  const code = await runLabCommand(name, minutes * 60_000, ...words);
  if (code !== 0) throw new Error(`lab ${words[0]} ended with ${code}`);
}

/** Runs work with these kinds of labs up; undefined where one did not come up. A lab that its variable names already is used as it is, and left up. */
async function withLabs(kinds, suite, work) {
  const env = {};
  let areUp = true;
  for (const kind of kinds) {
    const { variable, suffix } = labKinds[kind];
    const name = process.env[variable] ?? `test-${suite}${suffix}-${copy}`;
    env[variable] = name;
    if (!process.env[variable]) labsInUse.add(name);
    say(`Bringing the ${kind} lab ${name} up`);
    areUp = areUp && (await prepare(`lab up (${kind})`, () => labCommand(name, 10, 'up', '--istio', kind)));
  }
  const result = areUp ? await work(env) : undefined;
  for (const name of labsInUse) await prepare('lab down', () => labCommand(name, 3, 'down'));
  labsInUse.clear();
  return result;
}

async function main() {
  if (!(await prepare('npm ci', ensureDependencies))) return;
  // The messages and the JSON Schema are made by the build; lint and unit tests read them too.
  if (needs.has('vsix')) await prepare('package', () => packExtension());
  else await prepare('build', () => run(node24(), [path.join(root, 'esbuild.mjs')], { cwd: root, env: node24Environment() }));
  if (chosen.some(([, suite]) => suite.labs)) {
    say('Building what the labs run, where it is missing: the first time about 15 minutes');
    if (!(await prepare('programs of the labs', () => runLabBuild(40 * 60_000)))) return;
  }
  for (const [name, suite] of chosen) {
    say(`Suite ${name}`);
    const since = Date.now();
    const counts = suite.labs ? await withLabs(suite.labs, name, suite.run) : await suite.run();
    if (!counts) continue;
    total.passed += counts.passed;
    total.failed += counts.failed;
    rows.push(`  ${name.padEnd(8)} ${counts.passed} passed, ${counts.failed} failed, ${((Date.now() - since) / 1000).toFixed(0)} s`);
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    const end = () => process.exit(code);
    Promise.all([...labsInUse].map((name) => runLabCommand(name, 120_000, 'down'))).then(end, end);
  });
}
await main();
process.stdout.write(`${rows.join('\n')}\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
