// Takes screenshots of the extension in a real workbench. `node scripts/shot.mjs --help` says how.
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { root } from './toolchain/dependencies.mjs';
import { runOnNode24 } from './toolchain/onNode24.mjs';
import { packExtension } from './package.mjs';

const args = process.argv.slice(2);
if (args.length === 0 || args.includes('--help')) {
  process.stdout
    .write(`node scripts/shot.mjs [--vsix FILE] [--locale zh-cn] [--settings FILE.json] [--folder DIR] [--env NAME=VALUE] [--size 1400x900] STEP ...
Without --vsix the extension is built and packed first when it changed. Steps, in order:
  view=NAME       open a container of the activity bar        command=TITLE   run a command of the palette
  expand=TEXT     open a tree row                             click=TEXT      click a tree row
  menu=ROW::ENTRY choose from a row's context menu            answer=TEXT     type into the quick input and confirm
  pick=TEXT       choose a row of the quick pick              key=KEY         press a key, e.g. Escape
  fill=SELECTOR::TEXT  fill a field of the visible webview    press=SELECTOR  click in the visible webview
  dialog=BUTTON   press a button of the modal dialog          notice=TEXT     wait for a notification
  wait=MS         wait                                        tree            print the tree's rows
  shot=FILE.png   take a screenshot                           script=FILE.ts  run its default export with the Workbench
`);
  process.exit(args.length === 0 ? 2 : 0);
}
if (!args.includes('--vsix')) args.unshift('--vsix', await packExtension({ reuse: true }));
const runner = path.join(root, 'test', 'ui', 'shot.ts');
if (!existsSync(runner)) throw new Error(`${runner} is missing`);
process.exitCode = await runOnNode24(runner, args);
