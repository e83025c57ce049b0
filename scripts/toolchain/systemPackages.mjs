// Programs of the machine's own distribution (Debian, Ubuntu) that the browser-driven parts need.
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run, say } from './process.mjs';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** True where the package lists were fetched within the last day. */
function listsAreFresh() {
  try {
    const directory = '/var/lib/apt/lists';
    return readdirSync(directory).some(
      (name) => /_Packages(\.|$)/.test(name) && Date.now() - statSync(path.join(directory, name)).mtimeMs < 86_400_000,
    );
  } catch {
    return false;
  }
}

/** Installs Debian packages; needs root. Throws an Error with the command to run where this user is not root. */
export async function installPackages(names) {
  if (process.getuid?.() !== 0)
    throw new Error(`These packages are missing; install them with: sudo apt-get install --no-install-recommends ${names.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=600'];
  if (!listsAreFresh()) {
    say('Fetching the package lists (apt-get update)');
    await run('apt-get', [...wait, 'update'], { env });
  }
  say(`Installing ${names.join(', ')} (apt-get)`);
  try {
    await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...names], { env });
  } catch (error) {
    say(`  once more with fresh package lists: ${String(error).split('\n')[0]}`);
    await run('apt-get', [...wait, 'update'], { env });
    await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...names], { env });
  }
}

/** Path of a Chromium; installs Debian's, with fonts for Latin and Chinese text, where the machine has none. CHROMIUM overrides it. */
export async function ensureChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const present = BROWSERS.find((file) => existsSync(file));
  const missing = [];
  if (!present) missing.push('chromium');
  if (!existsSync('/usr/share/fonts/truetype/dejavu')) missing.push('fonts-dejavu-core');
  if (!existsSync('/usr/share/fonts/opentype/noto')) missing.push('fonts-noto-cjk');
  if (missing.length > 0 && (!present || process.getuid?.() === 0)) await installPackages(missing);
  const found = BROWSERS.find((file) => existsSync(file));
  if (!found) throw new Error('No Chromium was found after the installation; set CHROMIUM to its path.');
  return found;
}
