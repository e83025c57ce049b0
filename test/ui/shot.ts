import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startWorkbench, type Workbench } from './workbench.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vsix: { type: 'string' },
    locale: { type: 'string' },
    settings: { type: 'string' },
    folder: { type: 'string' },
    size: { type: 'string', default: '1400x900' },
    env: { type: 'string', multiple: true, default: [] },
  },
});

const pair = (text: string, separator: string): [string, string] => {
  const at = text.indexOf(separator);
  if (at < 0) throw new Error(`${JSON.stringify(text)} lacks ${separator}`);
  return [text.slice(0, at), text.slice(at + separator.length)];
};

const steps: Readonly<Record<string, (workbench: Workbench, value: string) => Promise<unknown>>> = {
  view: (workbench, name) => workbench.openContainer(name),
  command: (workbench, title) => workbench.command(title),
  expand: (workbench, text) => workbench.expand(text),
  click: (workbench, text) => workbench.treeItem(text).first().click(),
  menu: (workbench, text) => workbench.contextMenu(...pair(text, '::')),
  answer: (workbench, text) => workbench.answer(text),
  pick: (workbench, text) => workbench.pick(text),
  key: (workbench, key) => workbench.page.keyboard.press(key),
  fill: async (workbench, text) => {
    const [selector, value] = pair(text, '::');
    await workbench.webview().locator(selector).fill(value);
  },
  press: (workbench, selector) => workbench.webview().locator(selector).click(),
  dialog: (workbench, button) => workbench.dialogButton(button),
  notice: (workbench, text) => workbench.waitForNotification(text),
  wait: (workbench, milliseconds) => workbench.page.waitForTimeout(Number(milliseconds)),
  tree: async (workbench) => {
    for (const row of await workbench.treeTexts()) console.log(row);
  },
  shot: (workbench, file) => workbench.screenshot(path.resolve(file)),
  script: async (workbench, file) => {
    const module = (await import(pathToFileURL(path.resolve(file)).href)) as { default(given: Workbench): Promise<void> };
    await module.default(workbench);
  },
};

const [width, height] = values.size.split('x').map(Number);
const workbench = await startWorkbench({
  ...values,
  folder: values.folder === undefined ? undefined : path.resolve(values.folder),
  settings: values.settings === undefined ? undefined : (JSON.parse(readFileSync(values.settings, 'utf8')) as Record<string, unknown>),
  env: Object.fromEntries(values.env.map((text) => pair(text, '='))),
  viewport: { width: width ?? 1400, height: height ?? 900 },
});
try {
  for (const step of positionals) {
    const [name, value] = step.includes('=') ? pair(step, '=') : [step, ''];
    const action = steps[name];
    if (!action) throw new Error(`Unknown step ${name}; see --help`);
    await action(workbench, value);
  }
} catch (error) {
  const failure = path.resolve('shot-failed.png');
  await workbench.screenshot(failure);
  console.error(`${String(error)}\nThe screen at that moment: ${failure}`);
  process.exitCode = 1;
} finally {
  await workbench.close();
}
