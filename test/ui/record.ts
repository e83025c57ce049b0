// `npm run demo -- --record DIR`: drives the whole job by itself and leaves a screenshot of each step. On the playground, or with --lab on the lab that MESH_LAB names.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { say } from '../../scripts/toolchain/process.mjs';
import { journey, type Place } from './journey.ts';
import { labPlace, playgroundPlace } from './places.ts';
import { startWorkbench, type WorkbenchOptions } from './workbench.ts';

const { values } = parseArgs({
  options: { vsix: { type: 'string' }, out: { type: 'string' }, lab: { type: 'boolean', default: false } },
});
const out = path.resolve(values.out ?? 'screenshots');
mkdirSync(out, { recursive: true });
const { place, options }: { place: Place; options: WorkbenchOptions } = values.lab ? await labPlace() : playgroundPlace();
const workbench = await startWorkbench({ ...options, vsix: values.vsix });
let current = 'start';
try {
  for (const step of journey) {
    current = step.name;
    say(`Step ${step.name}`);
    await step.run(workbench, place);
    await workbench.page.waitForTimeout(700);
    await workbench.screenshot(path.join(out, `${step.name}.png`));
  }
  say(`Done: ${journey.length} screenshots in ${out}`);
} catch (error) {
  await workbench.screenshot(path.join(out, `failed-${current}.png`));
  process.stderr.write(
    `Step ${current} failed: ${error instanceof Error ? error.message : String(error)}\nThe rows of the tree:\n${(await workbench.treeTexts()).join('\n')}\nThe extension's log:\n${workbench.extensionLog()}\n`,
  );
  process.exitCode = 1;
} finally {
  await workbench.close();
}
