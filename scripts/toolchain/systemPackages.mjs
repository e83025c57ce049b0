// Programs of the machine's own distribution (Debian, Ubuntu) that the browser-driven parts need.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run, say } from './process.mjs';

/** The same browser without what a window needs: it starts and draws with three quarters of the work. Debian has it, Ubuntu does not. */
const SHELL = 'chromium-headless-shell';
const BROWSERS = [SHELL, 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`);

const DAY_MS = 86_400_000;

/** True where there are package lists not older than this. */
function hasLists(maxAgeMs) {
  try {
    const directory = '/var/lib/apt/lists';
    return readdirSync(directory).some(
      (name) => /_Packages(\.|$)/.test(name) && Date.now() - statSync(path.join(directory, name)).mtimeMs < maxAgeMs,
    );
  } catch {
    return false;
  }
}

const WAIT = ['-o', 'DPkg::Lock::Timeout=600'];
const aptEnvironment = () => ({ ...process.env, DEBIAN_FRONTEND: 'noninteractive' });
const isRoot = () => process.getuid?.() === 0;

async function freshenLists() {
  if (hasLists(DAY_MS)) return;
  say('Fetching the package lists (apt-get update)');
  await run('apt-get', [...WAIT, 'update'], { env: aptEnvironment() });
}

/** Installs Debian packages; needs root. Throws an Error with the command to run where this user is not root. */
export async function installPackages(names) {
  if (!isRoot())
    throw new Error(`These packages are missing; install them with: sudo apt-get install --no-install-recommends ${names.join(' ')}`);
  const env = aptEnvironment();
  await freshenLists();
  say(`Installing ${names.join(', ')} (apt-get)`);
  try {
    await run('apt-get', [...WAIT, 'install', '-y', '--no-install-recommends', ...names], { env });
  } catch (error) {
    say(`  once more with fresh package lists: ${String(error).split('\n')[0]}`);
    await run('apt-get', [...WAIT, 'update'], { env });
    await run('apt-get', [...WAIT, 'install', '-y', '--no-install-recommends', ...names], { env });
  }
}

/** Whether this distribution has the package: old lists say that, too. */
async function isOffered(name) {
  if (!hasLists(Infinity)) await freshenLists();
  return spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0;
}

/**
 * Path of a Chromium. Root gets the one without windows where the distribution has it; who may not install, whatever is there. Installs fonts for
 * Latin and Chinese text too. CHROMIUM overrides it.
 */
export async function ensureChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const browser = () => BROWSERS.find((file) => existsSync(file));
  const present = browser();
  const missing = [];
  if (present !== BROWSERS[0] && isRoot() && (await isOffered(SHELL))) missing.push(SHELL);
  else if (!present) missing.push('chromium');
  if (!existsSync('/usr/share/fonts/truetype/dejavu')) missing.push('fonts-dejavu-core');
  if (!existsSync('/usr/share/fonts/opentype/noto')) missing.push('fonts-noto-cjk');
  if (missing.length > 0 && (!present || isRoot())) await installPackages(missing);
  const found = browser();
  if (!found) throw new Error('No Chromium was found after the installation; set CHROMIUM to its path.');
  return found;
}
