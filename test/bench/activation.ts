// Activation as VS Code reports it (Developer: Startup Performance, table of activation: load + call + finish), beside a trivial tree extension
// in the same windows. `node test/bench/activation.ts VSIX`; prints Markdown. The median of several fresh windows.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { node24 } from '../../scripts/toolchain/onNode24.mjs';
import { packExtension } from '../../scripts/package.mjs';
import { run } from '../../scripts/toolchain/process.mjs';
import { startWorkbench, type Workbench } from '../ui/workbench.ts';

const WINDOWS = 5;
const root = path.resolve(import.meta.dirname, '../..');

const TRIVIAL = `const vscode = require('vscode');
exports.activate = (context) => {
  context.subscriptions.push(vscode.window.registerTreeDataProvider('trivialTree.view', { getTreeItem: (item) => item, getChildren: () => [new vscode.TreeItem('one')] }));
};
`;

async function packTrivial(directory: string): Promise<string> {
  const source = path.join(directory, 'trivial');
  cpSync(path.join(root, 'test', 'bench', 'trivial'), source, { recursive: true });
  mkdirSync(path.join(source, 'dist'), { recursive: true });
  writeFileSync(path.join(source, 'dist', 'extension.cjs'), TRIVIAL);
  writeFileSync(path.join(source, 'README.md'), 'A peer for measurements.\n');
  cpSync(path.join(root, 'LICENSE'), path.join(source, 'LICENSE'));
  const out = path.join(directory, 'trivial.vsix');
  await run(
    node24(),
    [
      path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce'),
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--out',
      out,
    ],
    { cwd: source },
  );
  return out;
}

interface Activation {
  readonly load: number;
  readonly call: number;
  readonly finish: number;
}

/** The row of an extension in VS Code's table: | id | eager | load | call | finish | event | by |. */
function readRow(report: string, id: string): Activation {
  const row = report.split('\n').find((line) => line.split('|')[1]?.trim() === id);
  const numbers = [...(row ?? '').matchAll(/\|\s*(\d+)\s*(?=\|)/g)].map((match) => Number(match[1]));
  const [load, call, finish] = numbers;
  if (load === undefined || call === undefined || finish === undefined)
    throw new Error(`VS Code's report has no activation of ${id}:\n${report.slice(0, 2000)}`);
  return { load, call, finish };
}

async function report(workbench: Workbench): Promise<string> {
  await workbench.command('Developer: Startup Performance');
  await workbench.waitForEditor('## System Info');
  await workbench.page.locator('.editor-group-container.active .monaco-editor .view-lines').first().click();
  await workbench.page.keyboard.press('Control+A');
  await workbench.page.keyboard.press('Control+C');
  return String(await workbench.page.evaluate('navigator.clipboard.readText()'));
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const directory = mkdtempSync(path.join(os.tmpdir(), 'mesh-bench-'));
try {
  const trivial = await packTrivial(directory);
  const vsix = process.argv[2] ?? (await packExtension({ reuse: true }));
  const ids = ['mesh-expansion.mesh-expansion', 'mesh-expansion-bench.trivial-tree'] as const;
  const found = new Map<string, Activation[]>(ids.map((id) => [id, []]));
  for (let index = 0; index < WINDOWS; index += 1) {
    const workbench = await startWorkbench({ vsix, also: [trivial] });
    try {
      // VS Code's own extensions load first: what is waited for them is not ours.
      await workbench.page.waitForTimeout(6000);
      // In turns first, so that neither profits from what the other has loaded.
      const containers = ['Mesh Expansion', 'Trivial Tree'];
      for (const name of index % 2 === 0 ? containers : containers.reverse()) {
        await workbench.openContainer(name);
        await workbench.page.waitForTimeout(1500);
      }
      const text = await report(workbench);
      for (const id of ids) found.get(id)?.push(readRow(text, id));
    } finally {
      await workbench.close();
    }
  }
  const total = (entry: Activation): number => entry.load + entry.call + entry.finish;
  process.stdout.write(
    `### Activation as VS Code reports it (load + call + finish, ms; median of ${WINDOWS} fresh windows)\n\n| extension | total | load | call | finish |\n| --- | --- | --- | --- | --- |\n`,
  );
  for (const id of ids) {
    const entries = found.get(id) ?? [];
    const [all, load, call, finish] = [
      entries.map(total),
      entries.map((entry) => entry.load),
      entries.map((entry) => entry.call),
      entries.map((entry) => entry.finish),
    ].map(median);
    process.stdout.write(`| ${id} | ${all} | ${load} | ${call} | ${finish} |\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
