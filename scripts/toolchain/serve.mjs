// Starts code-server on a folder with the packed extension installed, in a home of its own. Used by the demo and by the browser-driven tests.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { ensureCodeServer } from './codeServer.mjs';
import { run } from './process.mjs';

/** Settings that keep VS Code quiet and readable by a driver; a caller's own win over them. */
const QUIET = {
  'workbench.startupEditor': 'none',
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.dialogStyle': 'custom',
  // Without both it lists the files that every process of this machine has open, again and again.
  'remote.autoForwardPorts': false,
  'remote.autoForwardPortsSource': 'output',
  'terminal.integrated.gpuAcceleration': 'off',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Environment of the server: the caller's, without what belongs to another VS Code, npm run or SSH session, and with a home of its own. */
function serverEnvironment(root, extra) {
  const env = { ...process.env, HOME: path.join(root, 'home'), TMPDIR: path.join(root, 'tmp'), XDG_RUNTIME_DIR: path.join(root, 'tmp') };
  for (const name of Object.keys(env))
    if (/^(VSCODE_|ELECTRON_|npm_|NODE_OPTIONS$|SSH_AUTH_SOCK$|KUBECONFIG$)/.test(name)) delete env[name];
  return { ...env, ...extra };
}

/** No language pack is in the registries: an empty one of our own makes VS Code load the extension's Chinese texts. */
function writeLanguagePack(user, locale) {
  const file = path.join(user, 'lp', 'main.i18n.json');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '{"version":"1.0.0","contents":{}}');
  const pack = {
    hash: '0123456789abcdef0123456789abcdef',
    label: locale,
    extensions: [{ extensionIdentifier: { id: 'mesh.language' }, version: '1.0.0' }],
    translations: { vscode: file },
  };
  writeFileSync(path.join(user, 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
}

/**
 * Options: vsix (installed first), also (more .vsix files), folder, settings, env, locale (`zh-cn`), password (default: no authentication, for tests on a loopback
 * address only), port, driver (true: mocha in the extension host), untrusted (true: no folder is trusted before a person says so, and none is asked at the start), root (kept by the caller; default: a temporary directory, removed by `stop`).
 * Returns {url, origin, port, root, user, logFile, exited, stop}.
 */
export async function startCodeServer(options = {}) {
  const { node, entry } = await ensureCodeServer();
  const root = options.root ?? mkdtempSync(path.join(os.tmpdir(), 'mesh-workbench-'));
  const user = path.join(root, 'user');
  const folder = options.folder ?? path.join(root, 'folder');
  for (const directory of ['home', 'tmp', 'extensions', path.join('user', 'User'), path.join('user', 'Machine')])
    mkdirSync(path.join(root, directory), { recursive: true });
  mkdirSync(folder, { recursive: true });
  const config = path.join(root, 'config.yaml');
  writeFileSync(
    config,
    options.password ? `auth: password\npassword: ${JSON.stringify(options.password)}\ncert: false\n` : 'auth: none\ncert: false\n',
    { mode: 0o600 },
  );
  const trust = options.untrusted ? { 'security.workspace.trust.startupPrompt': 'never' } : {};
  const settings = JSON.stringify({ ...QUIET, ...trust, ...options.settings }, undefined, 2);
  // To the browser's window this server is a remote machine: settings of scope `machine` are its own, not the user's.
  for (const scope of ['User', 'Machine']) writeFileSync(path.join(user, scope, 'settings.json'), settings);
  if (options.locale && options.locale !== 'en') writeLanguagePack(user, options.locale);

  const env = serverEnvironment(root, options.env ?? {});
  const base = [entry, '--config', config, '--user-data-dir', user, '--extensions-dir', path.join(root, 'extensions')];
  for (const vsix of [options.vsix, ...(options.also ?? [])].filter((file) => file !== undefined)) {
    await run(node, [...base, '--install-extension', path.resolve(vsix), '--force'], { env, timeoutMs: 120_000 });
  }

  const port = options.port ?? (await freePort());
  const flags = [
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--disable-telemetry',
    '--disable-update-check',
    ...(options.untrusted ? [] : ['--disable-workspace-trust']),
    '--disable-getting-started-override',
    '-e',
  ];
  const vscode = [...(options.driver ? ['--vscode-option', 'enable-smoke-test-driver'] : []), '--vscode-option', 'disable-experiments'];
  if (options.locale) flags.push('--locale', options.locale);
  const logFile = path.join(root, 'server.log');
  const log = createWriteStream(logFile);
  const child = spawn(node, [...base, ...flags, ...vscode], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));

  const stop = async () => {
    signal(child, 'SIGTERM');
    // A timer that is left running would keep the program that stops us.
    const limit = setTimeout(() => signal(child, 'SIGKILL'), 5000);
    await exited;
    clearTimeout(limit);
    // Its children may outlive it.
    signal(child, 'SIGKILL');
    if (!options.root) rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const origin = `http://127.0.0.1:${port}`;
  try {
    await healthy(child, origin, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `${origin}/?${new URLSearchParams({ folder })}`, origin, port, root, user, folder, logFile, exited, stop };
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // The group is gone already.
  }
}

async function healthy(child, origin, logFile) {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`code-server ended at once:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
    try {
      if ((await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(2000) })).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`code-server did not answer on ${origin} within 60 s:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
}
