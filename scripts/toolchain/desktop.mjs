// Finds an installed desktop VS Code and opens it with the packed extension, in a user-data folder of its own.
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run } from './process.mjs';

const NAMES = process.platform === 'win32' ? ['code.cmd', 'code-insiders.cmd'] : ['code', 'code-insiders', 'codium'];

/** Path of a desktop VS Code that can be opened here: VSCODE_PATH, else on PATH where there is a screen; undefined where there is none. */
export function findDesktop() {
  if (process.env.VSCODE_PATH) return process.env.VSCODE_PATH;
  // Inside a remote or integrated terminal `code` talks to that window, and takes no user-data folder.
  if (process.env.VSCODE_IPC_HOOK_CLI) return undefined;
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return undefined;
  for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const name of NAMES) {
      const file = path.join(directory, name);
      if (isProgram(file)) return file;
    }
  }
  return undefined;
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Installs the .vsix, writes the settings and opens the folder; answers when the window is closed. */
export async function openDesktop(code, { root, vsix, folder, settings, env }) {
  const user = path.join(root, 'user');
  mkdirSync(path.join(user, 'User'), { recursive: true });
  writeFileSync(path.join(user, 'User', 'settings.json'), JSON.stringify(settings, undefined, 2));
  const base = ['--user-data-dir', user, '--extensions-dir', path.join(root, 'extensions')];
  if (process.getuid?.() === 0) base.push('--no-sandbox');
  const full = { ...process.env, ...env };
  await run(code, [...base, '--install-extension', vsix, '--force'], { env: full, timeoutMs: 120_000 });
  const child = spawn(code, [...base, '--new-window', '--wait', '--disable-workspace-trust', folder], {
    env: full,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 0));
  });
}
