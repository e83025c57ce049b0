// Lets a script that was started on the machine's own Node (>= 18) go on under the project's Node 24.
import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { node24Bin } from '../node24.mjs';

/** Environment with Node 24 first on PATH; also for `npm` and `npx`. */
export function node24Environment() {
  return { ...process.env, PATH: `${node24Bin()}${path.delimiter}${process.env.PATH ?? ''}` };
}

/** Path of the Node 24 executable. */
export function node24() {
  return path.join(node24Bin(), process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Runs a module under Node 24 with this terminal, passes signals on, and answers its exit code. */
export async function runOnNode24(file, args, env = node24Environment()) {
  const child = spawn(node24(), [file, ...args], { stdio: 'inherit', env });
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? (signal === 'SIGINT' ? 130 : 143)));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, pass);
  return code;
}

// `node scripts/toolchain/onNode24.mjs FILE ARGS...`: with the project's packages installed first, runs FILE under Node 24.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, ...args] = process.argv.slice(2);
  if (!file) throw new Error('usage: node scripts/toolchain/onNode24.mjs FILE [ARGUMENT...]');
  // No top-level await: dependencies.mjs imports this module, and would wait for it for ever.
  const go = async () => {
    const { ensureDependencies } = await import('./dependencies.mjs');
    await ensureDependencies();
    process.exitCode = await runOnNode24(file, args);
  };
  go().catch((error) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
