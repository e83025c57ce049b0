// The project's own npm packages: installed where they are missing or older than the lock file.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { node24Environment } from './onNode24.mjs';
import { run, say } from './process.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Runs `npm ci` where node_modules is missing or was made from another package-lock.json. */
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
  // What the lock file names cannot have changed: no need to ask the registry about what is at hand.
  say('Installing the npm packages of the project (npm ci)');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: root, env: node24Environment() });
  writeFileSync(mark, lock);
}

/** True where npm's own record of what is installed lists every package of the lock file in its version; optional ones of other systems aside. */
function sameVersions(installed) {
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages ?? {};
  const want = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages ?? {};
  return Object.entries(want).every(([name, entry]) => name === '' || entry.optional === true || have[name]?.version === entry.version);
}
