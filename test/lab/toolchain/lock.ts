// One builder at a time: a lock that the kernel drops with the process that held it.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

/** Runs `work` while holding an exclusive flock on `file`. Waits up to `seconds`; throws when another process keeps it longer. */
export async function withLock<T>(file: string, seconds: number, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  // flock(1) holds the lock while its child reads our pipe: it ends when we close it or die, kill -9 included.
  const holder = spawn(
    'flock',
    ['--exclusive', '--timeout', String(seconds), '--conflict-exit-code', '75', file, 'sh', '-c', 'echo locked; exec cat >/dev/null'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    holder.once('error', reject);
    holder.stdout.once('data', () => resolve());
    holder.once('exit', (code) =>
      reject(
        new Error(
          code === 75 ? `another process has held ${file} for ${seconds} s: wait for it, or end it` : `flock on ${file} ended with ${code}`,
        ),
      ),
    );
  });
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
