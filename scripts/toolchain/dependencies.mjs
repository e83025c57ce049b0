// The project's own npm packages: installed where they are missing or older than the lock file.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../node24.mjs';
import { node24Environment } from './onNode24.mjs';
import { run, say } from './process.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Runs `npm ci` where node_modules is missing or was made from another package-lock.json; another checkout with the same one gets a copy of the result. */
export async function ensureDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const mark = path.join(root, 'node_modules', '.mesh-expansion-lock');
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  if (existsSync(installed) && sameVersions(installed)) {
    writeFileSync(mark, lock);
    return;
  }
  const kept = path.join(cacheDirectory, 'packages', `${lock.slice(0, 12)}-${process.platform}-${process.arch}`);
  if (existsSync(kept)) {
    say('Copying the npm packages of the project, which another checkout has installed');
    await copyWhole(kept, path.join(root, 'node_modules'));
    return;
  }
  say('Installing the npm packages of the project (npm ci)');
  // What the lock file names cannot have changed, so what is at hand will do. The packages' own scripts compile only what the bundles leave
  // out (ssh2). Not in an .npmrc: npm hands that on to every program below it, and code-server's native modules need theirs.
  await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], { cwd: root, env: node24Environment() });
  writeFileSync(mark, lock);
  if (process.platform === 'win32') return;
  // Only the newest is of use; a copy that does not succeed is no reason to fail.
  rmSync(path.dirname(kept), { recursive: true, force: true });
  await copyWhole(path.join(root, 'node_modules'), kept).catch((error) =>
    say(`The packages were not kept for other checkouts: ${error.message}`),
  );
}

/** Copies a folder, so that there is all of it or nothing; what stood there before goes. */
async function copyWhole(from, to) {
  const unfinished = `${to}.${process.pid}`;
  mkdirSync(path.dirname(to), { recursive: true });
  try {
    await run('cp', ['-a', from, unfinished]);
    rmSync(to, { recursive: true, force: true });
    renameSync(unfinished, to);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** True where npm's own record of what is installed lists every package of the lock file in its version; optional ones of other systems aside. */
function sameVersions(installed) {
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages ?? {};
  const want = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages ?? {};
  return Object.entries(want).every(([name, entry]) => name === '' || entry.optional === true || have[name]?.version === entry.version);
}
