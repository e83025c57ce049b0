// `npm run bench [-- --write] [NAME ...]`: sizes, and every test/bench/*.ts; each prints Markdown. `--write` keeps the result in docs/performance.md.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { packExtension } from './package.mjs';
import { root } from './toolchain/dependencies.mjs';
import { node24, node24Environment } from './toolchain/onNode24.mjs';
import { run, say } from './toolchain/process.mjs';

const kilobytes = (bytes) => (bytes / 1024).toFixed(1);

function sizes(vsix) {
  const dist = path.join(root, 'dist');
  const files = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  const rows = files.map((name) => {
    const bytes = readFileSync(path.join(dist, name));
    return `| dist/${name} | ${kilobytes(bytes.length)} | ${kilobytes(gzipSync(bytes).length)} |`;
  });
  return `### Sizes (KB)\n\n| file | size | gzip |\n| --- | --- | --- |\n${rows.join('\n')}\n| ${path.basename(vsix)} | ${kilobytes(statSync(vsix).size)} | |\n`;
}

const args = process.argv.slice(2);
const load = os.loadavg()[0];
const names = args.filter((arg) => !arg.startsWith('--'));
if (args.includes('--write') && names.length > 0) {
  process.stderr.write('--write keeps a whole run: name no measurement with it\n');
  process.exit(2);
}
const vsix = await packExtension({ reuse: true });
const parts = [sizes(vsix)];
process.stdout.write(`${parts[0]}\n`);
const folder = path.join(root, 'test', 'bench');
for (const name of readdirSync(folder)
  .filter((entry) => entry.endsWith('.ts'))
  .sort()) {
  if (names.length > 0 && !names.includes(path.basename(name, '.ts'))) continue;
  say(`Measuring: ${name}`);
  try {
    const part = await run(node24(), [path.join(folder, name)], { cwd: root, env: node24Environment() });
    parts.push(part.slice(Math.max(0, part.indexOf('### '))));
    process.stdout.write(`${parts.at(-1)}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
if (args.includes('--write')) {
  const machine = `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GB, ${os.type()}`;
  const head = `# Performance\n\nMeasured by \`npm run bench -- --write\` on ${machine}. Peers run on the same machine in the same run.\nWhat else the machine did then: load average ${load.toFixed(1)} when it began.\n`;
  writeFileSync(path.join(root, 'docs', 'performance.md'), `${head}\n${parts.join('\n')}`);
}
