import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runTests } from '@vscode/test-electron';
import { build, type Plugin } from 'esbuild';
import { chromium } from 'playwright-core';
import { startCodeServer } from '../../scripts/toolchain/serve.mjs';
import { ensureChromium } from '../../scripts/toolchain/systemPackages.mjs';
import { labEnv } from '../lab/env.ts';

const root = path.resolve(import.meta.dirname, '../..');
const out = path.join(root, 'out', 'host');
const LIMIT_MS = 10 * 60_000;

/** A room that the code under test loads when it needs it is the built bundle, as in the extension. */
const builtRooms: Plugin = {
  name: 'built-rooms',
  setup(builder) {
    builder.onResolve({ filter: /(^|\/)(mesh|kube|ssh|playground)\/index\.ts$/ }, (request) =>
      request.kind === 'dynamic-import'
        ? { path: path.join(root, 'dist', `${path.basename(path.dirname(request.path))}.cjs`), external: true }
        : undefined,
    );
  },
};

/** Bundles test/host/*.test.ts and the suite that loads them: inside VS Code there is no type stripping. */
async function bundle(): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['test/host/*.test.ts', 'test/host/suite.ts'],
    outdir: out,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['vscode', 'mocha'],
    supported: { 'dynamic-import': false },
    plugins: [builtRooms],
    sourcemap: 'inline',
    logLevel: 'warning',
    define: { 'import.meta.url': 'importMetaUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
}

/** VS Code's web shape: code-server with its automation driver, a page in Chromium that starts the tests. */
async function inCodeServer(folder: string, env: Record<string, string>): Promise<number> {
  const executablePath = await ensureChromium();
  const server = await startCodeServer({ driver: true, folder, env });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  try {
    const page = await (
      await browser.newContext({ viewport: { width: 1400, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'] })
    ).newPage();
    const done = new Promise<number>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`The extension host's tests took more than ${LIMIT_MS / 60_000} min.`)), LIMIT_MS);
      limit.unref();
      void server.exited.then(() => reject(new Error('code-server ended during the tests')));
      page.on('crash', () => reject(new Error('the page crashed')));
      void page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
    });
    // The reporter's lines are indented; VS Code's own chatter is not, and is shown only with VERBOSE.
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
      const text = args.join(' ');
      if (text.startsWith('  ') || process.env.VERBOSE) console.log(text);
    });
    const uri = (file: string): string => `vscode-remote://127.0.0.1:${server.port}${file}`;
    const payload = [
      ['extensionDevelopmentPath', uri(root)],
      ['extensionTestsPath', uri(path.join(out, 'suite.cjs'))],
    ];
    await page.goto(`${server.origin}/?${new URLSearchParams({ folder, payload: JSON.stringify(payload) }).toString()}`);
    return await done;
  } catch (error) {
    console.error(String(error), `\n${readFileSync(server.logFile, 'utf8').slice(-3000)}`);
    return 1;
  } finally {
    await browser.close().catch(() => undefined);
    await server.stop();
  }
}

/** VS Code's desktop shape: an installed one (VSCODE_PATH), else a download. */
async function onDesktop(folder: string, env: Record<string, string>): Promise<number> {
  const rootUser = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return runTests({
    vscodeExecutablePath: process.env.VSCODE_PATH,
    extensionDevelopmentPath: root,
    extensionTestsPath: path.join(out, 'suite.cjs'),
    extensionTestsEnv: env,
    launchArgs: [folder, '--disable-workspace-trust', '--disable-extensions', ...rootUser],
  });
}

const { values } = parseArgs({ options: { desktop: { type: 'boolean', default: process.env.VSCODE_PATH !== undefined } } });
await bundle();
const folder = mkdtempSync(path.join(os.tmpdir(), 'mesh-host-'));
const sample = path.join(root, 'test', 'host', 'workspace');
if (existsSync(sample)) cpSync(sample, folder, { recursive: true });
const env: Record<string, string> = { MESH_TEST_WORKSPACE: folder };
for (const name of ['MESH_TEST_REPORT', 'MOCHA_GREP']) if (process.env[name] !== undefined) env[name] = process.env[name];
// The lab's tests in the extension host know it by this; without a lab they fail.
if (process.env.MESH_LAB !== undefined) env.MESH_EXPANSION_LAB = JSON.stringify(await labEnv());
try {
  process.exitCode = await (values.desktop ? onDesktop(folder, env) : inCodeServer(folder, env));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
