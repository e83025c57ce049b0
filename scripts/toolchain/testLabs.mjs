// The labs of test jobs: each job has its own, named after it; one that a variable names is used as it is, by one job at a time, and left up.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { cacheDirectory } from '../node24.mjs';
import { start } from './counted.mjs';
import { root } from './dependencies.mjs';
import { say } from './process.mjs';

/** By kind of lab: the variable that names it for a test, and what stands for it in a lab's name, which is short. */
const kinds = {
  citadel: { variable: 'MESH_LAB', letter: 'c' },
  istiod: { variable: 'MESH_ISTIOD_LAB', letter: 'i' },
};

/** Part of the labs' names: two copies of the project on one machine do not share labs. */
const copy = createHash('sha256').update(root).digest('hex').slice(0, 4);

const program = path.join(root, 'test', 'lab', 'lab.ts');
const command = (name, limitMs, ...words) =>
  start([program, ...words, '--name', name], { limitMs, quiet: words[0] === 'down' ? 'fine' : true });

/** The labs of this copy's tests that are up, whoever brought them up: also those that a test made for itself (test/lab/support/ownLab.ts). */
function labsOfTests() {
  try {
    return readdirSync(path.join(cacheDirectory, 'labs')).filter((name) => name.endsWith(`-${copy}`));
  } catch {
    return [];
  }
}

/** Builds what labs run, where it is missing; throws where that fails. */
export async function buildLabs(limitMs) {
  const code = await start([path.join(root, 'test', 'lab', 'toolchain', 'build.ts')], { limitMs });
  if (code !== 0) throw new Error(`ended with ${code}`);
}

export function createTestLabs() {
  const queues = new Map();
  let count = 0;

  /** One job at a time on a lab that a variable names. */
  const inTurn = async (name, work) => {
    const before = queues.get(name) ?? Promise.resolve();
    const mine = before.then(work);
    queues.set(
      name,
      mine.catch(() => undefined),
    );
    return mine;
  };
  const down = async (name) => {
    const code = await command(name, 3 * 60_000, 'down');
    if (code !== 0) throw new Error(`lab ${name} did not go down (${code})`);
  };
  const withLab = async (kind, machines, work) => {
    const { variable, letter } = kinds[kind];
    const given = process.env[variable];
    if (given) return inTurn(given, () => work({ [variable]: given }));
    const name = `t${letter}${(count += 1)}-${copy}`;
    // What a run that was killed left under this name.
    if (labsOfTests().includes(name)) await down(name);
    try {
      const code = await command(name, 10 * 60_000, 'up', '--istio', kind, '--machines', String(machines));
      if (code !== 0) throw new Error(`lab ${name} (${kind}) did not come up (${code})`);
      return await work({ [variable]: name });
    } finally {
      await down(name);
    }
  };
  return {
    /** Runs work with a lab of each kind up, so many machines in each; takes them down after it. Throws where one does not come up, or not go down. */
    async with(wanted, machines, work, env = {}) {
      const [kind, ...others] = wanted;
      if (kind === undefined) return work(env);
      return withLab(kind, machines, (more) => this.with(others, machines, work, { ...env, ...more }));
    },
    /** Takes down what is up; for a run that is interrupted, when its tests have ended. */
    async end() {
      const names = labsOfTests();
      if (names.length > 0) say(`Taking down ${names.join(', ')}`);
      for (const name of names) {
        const code = await start([program, 'down', '--name', name], { limitMs: 3 * 60_000, quiet: 'fine', last: true });
        if (code !== 0) say(`lab ${name} did not go down (${code})`);
      }
    },
  };
}
