// The lab suite. Files that bring labs of their own run beside each other, since they wait more than they compute; the others share one lab of each kind, one after the other.
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mochaRun } from './counted.mjs';
import { root } from './dependencies.mjs';
import { say } from './process.mjs';

const LIMIT_MS = 25 * 60_000;
const ISTIOD = 'istiod/';

/** Files under test/lab that never touch the suite's labs, those that take longest first. A file that is not listed is run on one: below `istiod/` on the one with istiod. */
const ownLabs = [
  'standins/conformance.test.ts',
  'istiod/checks.test.ts',
  'istiod/cli.test.ts',
  'istiod.conformance.test.ts',
  'cli.test.ts',
  'cliWrongInput.test.ts',
  'sshPush.test.ts',
  'sshVerbs.test.ts',
  'lifecycle.conformance.test.ts',
  'machine.conformance.test.ts',
  'ssh.test.ts',
  'cluster.conformance.test.ts',
  'kube.test.ts',
];

/** Paths of the test files below test/lab, seen from there. */
function testFiles() {
  return readdirSync(path.join(root, 'test', 'lab'), { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

/** Runs the files; answers the counts of all. Throws where the list names a file that is not there. */
export async function runLab(env) {
  const files = testFiles();
  const missing = ownLabs.filter((name) => !files.includes(name));
  if (missing.length > 0) throw new Error(`scripts/toolchain/labSuite.mjs names ${missing.join(', ')}: there is no such test`);
  const others = files.filter((name) => !ownLabs.includes(name));
  const shared = others.filter((name) => !name.startsWith(ISTIOD));
  const istiod = others.filter((name) => name.startsWith(ISTIOD));
  const waiting = [istiod, shared, ...ownLabs.map((name) => [name])].filter((group) => group.length > 0);
  const total = { passed: 0, failed: 0 };
  const since = Date.now();
  const worker = async () => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const name = group === shared ? 'shared' : group === istiod ? 'istiod' : group[0].replace('.test.ts', '').replaceAll('/', '-');
      const begin = Date.now();
      const counts = await mochaRun(
        `lab-${name}`,
        group.map((file) => path.join('test', 'lab', file)),
        { env, limitMs: Math.max(60_000, LIMIT_MS - (begin - since)), quiet: true },
      );
      say(`  ${group.join(', ')}: ${counts.passed} passed, ${counts.failed} failed, ${((Date.now() - begin) / 1000).toFixed(0)} s`);
      total.passed += counts.passed;
      total.failed += counts.failed;
    }
  };
  await Promise.all(Array.from({ length: os.cpus().length + 1 }, worker));
  return total;
}
