// `npm run demo`: a real VS Code with the extension on the playground. Works before any npm ci, on Node >= 18; installs what it lacks.
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { cacheDirectory } from './node24.mjs';
import { packExtension } from './package.mjs';
import { root } from './toolchain/dependencies.mjs';
import { labDown, labUp } from './toolchain/demoLab.mjs';
import { findDesktop, openDesktop } from './toolchain/desktop.mjs';
import { runOnNode24, node24Environment } from './toolchain/onNode24.mjs';
import { say } from './toolchain/process.mjs';
import { startCodeServer } from './toolchain/serve.mjs';
import { ensureChromium } from './toolchain/systemPackages.mjs';

const USAGE = `npm run demo -- [--lab] [--record DIR] [--browser] [--locale zh-cn] [--port N]
  (nothing)      a desktop VS Code where one is found (VSCODE_PATH, or code on PATH), else one in the browser; on the playground
  --lab          the same on the lab's real cluster and machines (needs root)
  --record DIR   drive the whole job by itself and leave a screenshot of each step in DIR
  --browser      in the browser even where a desktop VS Code is found
  --locale zh-cn in Chinese (in the browser)
  --port N       port of the browser's VS Code (default: any free one)
`;

function readArguments(args) {
  const options = { lab: false, browser: false };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index];
    const value = () => {
      const next = args[(index += 1)];
      if (next === undefined) throw new Error(`${arg} needs a value`);
      return next;
    };
    if (arg === '--lab' || arg === '--browser') options[arg.slice(2)] = true;
    else if (arg === '--record') options.record = path.resolve(value());
    else if (arg === '--locale') options.locale = value();
    else if (arg === '--port') options.port = Number(value());
    else if (arg === '--help' || arg === '-h') options.help = true;
    else throw new Error(`unknown argument ${arg}`);
  }
  if (options.port !== undefined && !(Number.isInteger(options.port) && options.port > 0 && options.port < 65_536))
    throw new Error('--port: a number from 1 to 65535');
  if (options.record && options.locale) throw new Error('--locale: the recorded job reads the English texts; leave one of the two out');
  return options;
}

/** A folder to open, new at each start, and the settings that point at the playground or the lab. */
function prepareFolder(home, lab) {
  const folder = path.join(home, 'mesh-expansion-demo');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(root, 'media', 'demo', lab ? 'lab.md' : 'playground.md'), path.join(folder, 'README.md'));
  const readme = { 'workbench.startupEditor': 'readme' };
  if (!lab) return { folder, settings: { ...readme, 'meshExpansion.playground': true }, env: {} };
  const inventory = `version: 1\nclusters:\n  - name: lab\n    context: ${lab.contexts.lab}\n`;
  writeFileSync(path.join(folder, 'mesh-expansion.yaml'), inventory);
  return {
    folder,
    settings: { ...readme, 'meshExpansion.kubeconfig': [lab.kubeconfig], 'meshExpansion.sshConfig': lab.sshConfig },
    env: { KUBECONFIG: lab.kubeconfig },
  };
}

async function inBrowser(vsix, home, { folder, settings, env }, { locale, port }) {
  const password = randomBytes(9).toString('base64url');
  const server = await startCodeServer({ vsix, root: home, folder, settings, env, locale, port, password });
  process.stdout.write(
    `\n  VS Code runs at  ${server.url}\n  password         ${password}\n\n  In it: the activity bar's Mesh Expansion, and README.md of the folder. Ctrl+C ends it.\n`,
  );
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
  });
  await Promise.race([stopped, server.exited]);
  await server.stop();
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const vsix = await packExtension({ reuse: true });
  const name = options.record ? 'record' : 'demo';
  const lab = options.lab ? await labUp(name) : undefined;
  try {
    if (options.record) {
      await ensureChromium();
      mkdirSync(options.record, { recursive: true });
      const env = { ...node24Environment(), MESH_LAB: name };
      const args = ['--vsix', vsix, '--out', options.record, ...(lab ? ['--lab'] : [])];
      return await runOnNode24(path.join(root, 'test', 'ui', 'record.ts'), args, env);
    }
    const home = path.join(cacheDirectory, lab ? 'demo-lab' : 'demo');
    // What an earlier demo remembered belongs to a cluster in memory that is gone.
    for (const directory of ['user', path.join('desktop', 'user')]) rmSync(path.join(home, directory), { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    const place = prepareFolder(home, lab);
    const desktop = options.browser || options.locale ? undefined : findDesktop();
    if (desktop === undefined) {
      await inBrowser(vsix, home, place, options);
      return 0;
    }
    say(`Opening ${desktop}; close its window to end the demo.`);
    return await openDesktop(desktop, { root: path.join(home, 'desktop'), vsix, ...place });
  } finally {
    if (lab) await labDown(name);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = /^(unknown argument|--\w+)/.test(String(error?.message)) ? 2 : 1;
}
