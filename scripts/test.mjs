// Runs the tests: `node scripts/test.mjs [SUITE ...]`; without names, all. The last line is `N passed, N failed`. Runs on any Node >= 18.
import { createHash } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { packExtension } from './package.mjs';
import { ensureDependencies, root } from './toolchain/dependencies.mjs';
import { node24, node24Environment } from './toolchain/onNode24.mjs';
import { run, say } from './toolchain/process.mjs';
import { runDesktop, runHost, runLab, runLabCommand, runLint, runUi, runUnit } from './toolchain/suites.mjs';

/** In the order in which they run. `on`: what must be there before. */
const suites = {
  lint: { run: runLint },
  unit: { run: runUnit },
  host: { run: runHost, on: ['build', 'lab'] },
  lab: { run: runLab, on: ['build', 'lab'] },
  ui: { run: runUi, on: ['vsix', 'lab'] },
  desktop: { run: runDesktop, on: ['build', 'lab'], only: true },
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

/** The lab that is up for a suite: one of its own, taken down after it; one that MESH_LAB names is used as it is and left up. */
let labInUse;

async function labCommand(command, name, minutes) {
  const code = await runLabCommand(command, name, minutes * 60_000);
  if (code !== 0) throw new Error(`lab ${command} ended with ${code}`);
}

/** Runs work with a lab up; undefined where it did not come up. */
async function withLab(name, work) {
  labInUse = process.env.MESH_LAB ? undefined : name;
  say(`Bringing the lab ${process.env.MESH_LAB ?? name} up; the first time its programs are compiled, which takes a while`);
  const isUp = await prepare('lab up', () => labCommand('up', process.env.MESH_LAB ?? name, 25));
  const result = isUp ? await work({ MESH_LAB: process.env.MESH_LAB ?? name }) : undefined;
  if (labInUse) await prepare('lab down', () => labCommand('down', name, 3));
  labInUse = undefined;
  return result;
}

async function main() {
  if (!(await prepare('npm ci', ensureDependencies))) return;
  // The messages and the JSON Schema are made by the build; lint and unit tests read them too.
  if (needs.has('vsix')) await prepare('package', () => packExtension());
  else await prepare('build', () => run(node24(), [path.join(root, 'esbuild.mjs')], { cwd: root, env: node24Environment() }));
  for (const [name, suite] of chosen) {
    say(`Suite ${name}`);
    const since = Date.now();
    const counts = suite.on?.includes('lab') ? await withLab(`test-${name}-${copy}`, suite.run) : await suite.run();
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
    if (labInUse) runLabCommand('down', labInUse, 120_000).then(end, end);
    else end();
  });
}
await main();
process.stdout.write(`${rows.join('\n')}\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
