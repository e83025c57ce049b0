// Builds for production and packs the extension: dist/mesh-expansion.vsix. Fails where it is larger than the budget (design: budgets).
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureDependencies, root } from './toolchain/dependencies.mjs';
import { node24, node24Environment } from './toolchain/onNode24.mjs';
import { run, say } from './toolchain/process.mjs';

const LIMIT = 2 * 1024 * 1024;

/** Newest change of anything that goes into the package, in milliseconds since 1970. */
function newestSource() {
  const watched = [
    'src',
    'l10n/messages',
    'media',
    'scripts',
    'package.json',
    'package.nls.json',
    'package.nls.zh-cn.json',
    'esbuild.mjs',
    'README.md',
    '.vscodeignore',
    'package-lock.json',
  ];
  const newest = (entry) => {
    let status;
    try {
      status = statSync(entry);
    } catch {
      return 0;
    }
    if (!status.isDirectory()) return status.mtimeMs;
    return Math.max(status.mtimeMs, ...readdirSync(entry).map((name) => newest(path.join(entry, name))));
  };
  return Math.max(...watched.map((entry) => newest(path.join(root, entry))));
}

/** Packs the extension and answers the path of the .vsix; with `reuse`, an up-to-date one is taken as it is. */
export async function packExtension({ reuse = false, out = path.join(root, 'dist', 'mesh-expansion.vsix') } = {}) {
  await ensureDependencies();
  const age = modified(out);
  if (reuse && age > newestSource()) return out;
  say('Building and packing the extension');
  const env = node24Environment();
  await run(node24(), [path.join(root, 'esbuild.mjs')], { cwd: root, env });
  rmSync(out, { force: true });
  const readme = path.join('dist', 'README.md');
  writeFileSync(path.join(root, readme), withoutPictures(readFileSync(path.join(root, 'README.md'), 'utf8')));
  const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const flags = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--readme-path', readme];
  await run(node24(), [vsce, 'package', ...flags, '--out', out], { cwd: root, env });
  const { size } = statSync(out);
  say(`${path.relative(root, out)}: ${(size / 1024).toFixed(0)} KB`);
  if (size > LIMIT) throw new Error(`The package has ${size} bytes; the budget is ${LIMIT} (design: budgets).`);
  return out;
}

/** The README as the package has it: its screenshots and documents stay in the repository, so pictures go, and links to files become their texts. */
function withoutPictures(text) {
  return text
    .replaceAll(/^\|.*\|\n/gm, (row) => (/!\[|^[| -]*$/m.test(row) ? '' : row))
    .replaceAll(/^!\[.*\n\n?/gm, '')
    .replaceAll(/\[([^\]]+)\]\((?!https?:|#)[^)]+\)/g, '$1');
}

function modified(file) {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${await packExtension()}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
