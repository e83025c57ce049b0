// What a person sees who has nothing yet, and one who misspells what is there. No lab: nothing is contacted.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packExtension } from '../../scripts/package.mjs';
import { eventually } from '../lab/support/eventually.ts';
import { driveSteps, otherScreenshots, type DrivenStep } from './drive.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const TYPO = `version: 1
clusters:
  - context: prod
vms:
  - name: db-1
    cluster: prod
    namspace: vm
`;

describe('somebody who has nothing yet', function () {
  this.timeout(300_000);
  let workbench: Workbench | undefined;
  let root: string;
  const at = (...parts: string[]): string => path.join(root, ...parts);

  before(async () => {
    root = mkdtempSync(path.join(os.tmpdir(), 'mesh-beginning-'));
    mkdirSync(at('servers'));
    const env = { KUBECONFIG: at('none') };
    workbench = await startWorkbench({ folder: at('servers'), env, vsix: await packExtension({ reuse: true }) });
  });

  after(async () => {
    await workbench?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const steps: readonly DrivenStep[] = [
    {
      name: 'beginning-01-nothing',
      async run(shown) {
        await shown.openContainer('Mesh Expansion');
        await shown.widenSideBar(110);
        await shown.page.locator('.welcome-view-content', { hasText: 'No cluster is known' }).waitFor();
        await shown.page.locator('.welcome-view-content').getByRole('button', { name: 'Open Playground' }).waitFor();
      },
    },
    {
      name: 'beginning-02-typo',
      async run(shown) {
        writeFileSync(at('servers', 'mesh-expansion.yaml'), TYPO);
        await shown.treeItem(/^vms\[0\].*error/).click();
        await shown.waitForEditor('namspace');
        await shown.page.locator('.squiggly-error').first().waitFor();
        await shown.page.keyboard.press('Control+G');
        await shown.answer(':7:6');
        await shown.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
        // Asked before the provider is there, the editor says that there is nothing to do.
        await eventually('the quick fix', async () => {
          await shown.page.keyboard.press('Control+.');
          await shown.page.waitForTimeout(1000);
          return shown.page.locator('.action-widget').getByText('Change to "namespace"').isVisible();
        });
      },
    },
    {
      name: 'beginning-03-mended',
      async run(shown) {
        await shown.page.keyboard.press('Enter');
        await shown.waitForEditor('    namespace: vm');
        await shown.page.keyboard.press('Control+S');
        await shown.treeItem(/^prod\b/).waitFor();
        await shown.treeItem(/^vms\[0\]/).waitFor({ state: 'hidden' });
      },
      holds() {
        assert.equal(readFileSync(at('servers', 'mesh-expansion.yaml'), 'utf8'), TYPO.replace('namspace', 'namespace'));
        return Promise.resolve();
      },
    },
  ];
  driveSteps(steps, () => workbench, otherScreenshots);
});
