// Builds dist/: one bundle per room that is loaded on its own (design: budgets). `node esbuild.mjs [--dev] [ENTRY ...]`; without names, all of them.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeBundles } from './scripts/l10n.mjs';
import { writeSchema } from './scripts/schema.mjs';

const root = path.dirname(fileURLToPath(import.meta.url));

/** Rooms with an index.ts that others load with `import('../ROOM/index.ts')`; each becomes dist/ROOM.cjs. */
const lazyRooms = { mesh: 'src/mesh', kube: 'src/kube', ssh: 'src/ssh', playground: 'src/playground', forms: 'src/views/forms' };

/** ssh2 falls back to JavaScript without its native parts: the same .vsix serves every system (editor facts, section 5). */
const noNative = {
  name: 'no-native',
  setup(builder) {
    builder.onResolve({ filter: /(^cpu-features$|sshcrypto\.node$)/ }, (request) => ({ path: request.path, namespace: 'absent' }));
    builder.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: "throw new Error('optional native addon not bundled')" }));
  },
};

/** A dynamic import of a room's index stays a load of that room's own bundle; a static one is bundled as usual. */
const roomsApart = {
  name: 'rooms-apart',
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`(^|/)(${Object.keys(lazyRooms).join('|')})/index\\.ts$`) }, (request) => {
      if (request.kind !== 'dynamic-import') return undefined;
      return { path: `./${path.basename(path.dirname(request.path))}.cjs`, external: true };
    });
  },
};

/** Each import of the editor's API as a namespace would copy its hundreds of members, once for every file: here all files of a bundle share one plain require. */
const vscodeOnce = {
  name: 'vscode-once',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, (request) => {
      const text = readFileSync(request.path, 'utf8');
      return { contents: text.replace(/^import \* as vscode from 'vscode';/m, ''), loader: 'ts' };
    });
  },
};
const NODE_BANNER = "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;";

const node = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  external: ['vscode', ...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
  // The extension host resolves a plain require of a sibling file; a dynamic import of CommonJS is slower and not everywhere supported.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'importMetaUrl', 'import.meta.dirname': '__dirname' },
  banner: { js: NODE_BANNER },
  plugins: [noNative, roomsApart],
  mainFields: ['module', 'main'],
  conditions: ['module', 'import', 'require', 'node'],
  legalComments: 'linked',
};

/** Bundles that are loaded in the editor alone. */
const inEditor = { ...node, banner: { js: `${NODE_BANNER}\nconst vscode = require('vscode');` }, plugins: [...node.plugins, vscodeOnce] };

const webviewFolder = path.join(root, 'src/views/webview');
const webviewScripts = existsSync(webviewFolder)
  ? readdirSync(webviewFolder)
      .filter((name) => /^[^_].*\.ts$/.test(name) && !name.endsWith('.d.ts'))
      .map((name) => path.join(webviewFolder, name))
  : [];

const entries = {
  extension: { ...inEditor, entryPoints: { extension: 'src/extension.ts' } },
  ...Object.fromEntries(
    Object.entries(lazyRooms).map(([room, folder]) => [
      room,
      { ...(room === 'forms' ? inEditor : node), entryPoints: { [room]: `${folder}/index.ts` } },
    ]),
  ),
  // An old Node must get as far as the version check, so the syntax is older than what the program needs.
  cli: { ...node, target: 'node16', entryPoints: { cli: 'src/cli.ts' } },
  webview: {
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'chrome130',
    entryPoints: webviewScripts,
    outdir: 'dist/webview',
    legalComments: 'linked',
  },
};

/** Builds the named entries and returns esbuild's metafiles by entry name. */
export async function buildAll({ names = Object.keys(entries), dev = false } = {}) {
  const unknown = names.filter((name) => !(name in entries));
  if (unknown.length > 0) throw new Error(`Unknown entry ${unknown.join(', ')}; known: ${Object.keys(entries).join(', ')}`);
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  writeBundles();
  await writeSchema();
  const built = {};
  for (const name of names) {
    const entry = entries[name];
    const result = await build({
      absWorkingDir: root,
      logLevel: 'warning',
      metafile: true,
      minify: !dev,
      sourcemap: dev,
      outExtension: { '.js': name === 'webview' ? '.js' : '.cjs' },
      outdir: 'dist',
      ...entry,
    });
    built[name] = result.metafile;
  }
  return built;
}

/** Takes away what an earlier build left, at the end: the installed command is a link into dist/, and must not be gone for as long as a build takes. */
function removeOthers(metafiles) {
  const made = new Set(Object.values(metafiles).flatMap(({ outputs }) => Object.keys(outputs).map((file) => path.join(root, file))));
  for (const entry of readdirSync(path.join(root, 'dist'), { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && /\.(c?js|map|css|txt)$/.test(entry.name) && !made.has(file)) rmSync(file);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const names = args.filter((arg) => !arg.startsWith('-'));
  const metafiles = await buildAll({ names: names.length > 0 ? names : undefined, dev: args.includes('--dev') });
  if (names.length === 0) removeOthers(metafiles);
  for (const metafile of Object.values(metafiles)) {
    for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
      if (/\.c?js$/.test(file)) process.stdout.write(`${file} ${(bytes / 1024).toFixed(1)} KB\n`);
    }
  }
  if (args.includes('--meta')) writeFileSync(path.join(root, 'dist/meta.json'), JSON.stringify(metafiles));
}
