// The lab behind `npm run demo -- --lab`: brought up under a name of its own, taken down at the end.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './dependencies.mjs';
import { node24, node24Environment } from './onNode24.mjs';
import { run } from './process.mjs';

const lab = path.join(root, 'test', 'lab', 'lab.ts');
const call = promisify(execFile);

/** Brings the lab up and answers what `lab env --json` prints. */
export async function labUp(name) {
  await run(node24(), [lab, 'up', '--name', name], { cwd: root, env: node24Environment(), verbose: true, timeoutMs: 30 * 60_000 });
  const { stdout } = await call(node24(), [lab, 'env', '--name', name, '--json'], { cwd: root, env: node24Environment() });
  return JSON.parse(stdout);
}

export async function labDown(name) {
  await run(node24(), [lab, 'down', '--name', name], { cwd: root, env: node24Environment(), timeoutMs: 180_000 });
}
