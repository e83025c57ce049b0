// Runs the programs that install and build things, saying what is being done while it is done. Runs on any Node >= 18.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';

const started = Date.now();

/** Prints one line of progress to stderr, with the seconds since the start. */
export function say(text) {
  process.stderr.write(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}\n`);
}

/**
 * Runs a program without a shell and waits for it. Its output goes to stderr when `verbose`, else is kept and shown only when it fails.
 * Prints a sign of life every 20 s. Throws an Error that names the command when it fails.
 */
export async function run(file, args, { cwd, env, verbose = false, timeoutMs = 20 * 60_000 } = {}) {
  const child = spawn(file, args, {
    cwd,
    env: env ?? process.env,
    stdio: ['ignore', verbose ? process.stderr : 'pipe', verbose ? process.stderr : 'pipe'],
    shell: process.platform === 'win32',
  });
  const chunks = [];
  child.stdout?.on('data', (chunk) => chunks.push(chunk));
  child.stderr?.on('data', (chunk) => chunks.push(chunk));
  const since = Date.now();
  const life = setInterval(
    () => say(`  still at it: ${file} ${args.slice(0, 2).join(' ')} (${Math.round((Date.now() - since) / 1000)} s)`),
    20_000,
  );
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
    });
    const output = Buffer.concat(chunks).toString('utf8');
    if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}\n${output.slice(-4000)}`);
    return output;
  } finally {
    clearInterval(life);
    clearTimeout(limit);
  }
}
