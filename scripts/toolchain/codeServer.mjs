// VS Code's own workbench and extension host as an npm package (code-server), kept in the cache, outside the project's tree.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { cacheDirectory, node24Bin } from '../node24.mjs';
import { run, say } from './process.mjs';

const VERSION = '4.139.1';
const ENTRY = ['node_modules', 'code-server', 'out', 'node', 'entry.js'];
const npm = ['--no-audit', '--no-fund', '--ignore-scripts'];

/** The `node` executable and the `entry` file that start code-server; installs it first where the cache lacks it (about a minute). */
export async function ensureCodeServer() {
  const bin = node24Bin();
  const node = path.join(bin, process.platform === 'win32' ? 'node.exe' : 'node');
  const home = path.join(cacheDirectory, `code-server-${VERSION}`);
  if (!existsSync(path.join(home, ...ENTRY))) await install(home, bin);
  return { node, entry: path.join(home, ...ENTRY), version: VERSION };
}

async function install(home, bin) {
  say(`Installing code-server ${VERSION} (VS Code in a browser) into the cache; this happens once and takes about a minute.`);
  const work = `${home}.partial-${process.pid}`;
  mkdirSync(work, { recursive: true });
  writeFileSync(path.join(work, 'package.json'), '{"private":true}\n');
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` };
  for (const name of Object.keys(env)) if (/^npm_(config_nodedir|package|lifecycle)/i.test(name)) delete env[name];
  try {
    await run('npm', ['install', ...npm, '--save-exact', `code-server@${VERSION}`], { cwd: work, env });
    const vscode = path.join(work, 'node_modules', 'code-server', 'lib', 'vscode');
    say('  its workbench and built-in extensions');
    await run('npm', ['install', ...npm, '--omit=dev'], { cwd: vscode, env });
    await run('npm', ['install', ...npm, '--omit=dev'], { cwd: path.join(vscode, 'extensions'), env });
    await rebuildNatives(vscode, bin, env);
    if (existsSync(home)) rmSync(work, { recursive: true, force: true });
    else renameSync(work, home);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
  say('code-server is ready.');
}

// Without these two code-server runs all the same, with noise in its log: a machine without a compiler is no reason to stop.
async function rebuildNatives(vscode, bin, env) {
  say('  its native modules');
  try {
    await run('npm', ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog'], {
      cwd: vscode,
      env: { ...env, npm_config_nodedir: path.dirname(bin) },
    });
  } catch (error) {
    say(`  not built, code-server runs without them: ${String(error).split('\n')[0]}`);
  }
}
