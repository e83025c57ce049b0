// What a person does with joined machines beside the main journey, on the lab: files that differ, several machines at once, the way back.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packExtension } from '../../scripts/package.mjs';
import type { Lab } from '../lab/env.ts';
import { readOnly, type Heal } from '../lab/faults.ts';
import { eventually } from '../lab/support/eventually.ts';
import { commandLine } from './commandLine.ts';
import { driveSteps, otherScreenshots, type DrivenStep } from './drive.ts';
import { labPlace, type InventoryText } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const LONG_MS = 90_000;
const CLUSTER_ENV = '/var/lib/istio/envoy/cluster.env';

describe('what is done beside the main journey, on the lab', function () {
  this.timeout(240_000);
  let workbench: Workbench | undefined;
  let lab: Lab;
  let folder: string;
  let inventory: InventoryText;
  let heal: Heal | undefined;

  const root = async (vm: string, script: string): Promise<string> => (await lab.onMachine(vm, ['sh', '-c', script])).stdout.trim();
  const both = async (of: (vm: string) => Promise<string>): Promise<readonly string[]> => [await of('vm-1'), await of('vm-2')];

  before(async () => {
    const prepared = await labPlace();
    ({ lab, folder, inventory } = prepared);
    const vsix = await packExtension({ reuse: true });
    inventory.write(
      `${inventory.read()}vms:\n  - name: vm-1\n    cluster: lab\n    namespace: vm\n  - name: vm-2\n    cluster: lab\n    namespace: vm\n`,
    );
    await commandLine(lab, folder, 'cluster', 'setup', '--cluster', lab.contexts.lab);
    await commandLine(lab, folder, 'join', '--all', '--package', prepared.place.packageText);
    workbench = await startWorkbench({ ...prepared.options, vsix });
  });

  after(async () => {
    await workbench?.close();
    await heal?.();
    await commandLine(lab, folder, 'leave', '--all');
  });

  const steps: readonly DrivenStep[] = [
    {
      name: 'actions-01-compared',
      async run(shown) {
        await shown.openContainer('Mesh Expansion');
        await shown.widenSideBar(110);
        await shown.expand(/^lab\b/);
        for (const vm of ['vm-1', 'vm-2']) await shown.treeItem(new RegExp(`^${vm}, in sync`, 'i')).waitFor({ timeout: LONG_MS });
        await root('vm-1', `echo 'ISTIO_LOCAL=by-hand' >>${CLUSTER_ENV}`);
        await shown.focusRow(/^vm-1\b/);
        await shown.keyMenu('Refresh');
        await shown.treeItem(/^vm-1, needs a push/i).waitFor({ timeout: LONG_MS });
        await shown.expand(/^vm-1\b/);
        await shown.focusRow(new RegExp(`^${CLUSTER_ENV}, differs on the VM`));
        await shown.keyMenu('Compare with VM');
        const side = (name: string) => shown.page.locator(`.monaco-diff-editor .editor.${name} .view-lines`);
        await side('original').getByText('ISTIO_LOCAL=by-hand').waitFor({ timeout: LONG_MS });
        await side('modified').getByText('ISTIO_SERVICE_CIDR').waitFor();
        assert.equal(await side('modified').getByText('ISTIO_LOCAL').count(), 0);
      },
    },
    {
      name: 'actions-02-pushed-from-the-diff',
      async run(shown) {
        await shown.page.locator('.editor-actions .action-label[aria-label^="Push"]').click();
        await shown.pickRows(LONG_MS);
        await shown.page.keyboard.press('Enter');
        // The left side is the machine's, and is read again.
        await shown.page
          .locator('.monaco-diff-editor .editor.original')
          .getByText('ISTIO_LOCAL')
          .waitFor({ state: 'hidden', timeout: LONG_MS });
        await shown.treeItem(/^vm-1, in sync/i).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
      },
      holds: async () => assert.doesNotMatch(await root('vm-1', `cat ${CLUSTER_ENV}`), /ISTIO_LOCAL/),
    },
    {
      name: 'actions-03-conflict',
      async run(shown) {
        await shown
          .treeItem(new RegExp(`^${CLUSTER_ENV}`))
          .first()
          .dblclick();
        await shown.waitForEditor('ISTIO_SERVICE_CIDR');
        await shown.appendLine('ISTIO_MINE=edited');
        await shown.page.keyboard.press('Control+S');
        await eventually('the saved edit', () => Promise.resolve(existsSync(path.join(folder, '.mesh-expansion/vm-1', CLUSTER_ENV))));
        // Somebody else's change of the inventory, as a pull brings it.
        inventory.write(inventory.read().replace('context: lab', 'context: lab\n    serviceCidr: [10.96.0.0/16, 10.97.0.0/16]'));
        // A row that is drawn anew under the mouse loses the click.
        await shown.treeItem(/^vm-1\b.*saved edits conflict/i).waitFor({ timeout: LONG_MS });
        await shown.inlineAction(/^vm-1\b/, 'Push');
        await shown.waitForNotification(/saved edit/i, LONG_MS);
      },
      async holds() {
        assert.doesNotMatch(await root('vm-1', `cat ${CLUSTER_ENV}`), /MINE|10\.97/);
      },
    },
    {
      name: 'actions-04-discarded',
      async run(shown) {
        await shown.clearNotifications();
        await shown.page.locator('.codelens-decoration a', { hasText: 'Discard edits' }).click();
        await shown.waitForEditor('10.97.0.0/16');
        assert.doesNotMatch(await shown.editorText(), /ISTIO_MINE/);
        await eventually('no edit', () => Promise.resolve(!existsSync(path.join(folder, '.mesh-expansion/vm-1', CLUSTER_ENV))));
      },
    },
    {
      name: 'actions-05-push-of-two',
      async run(shown) {
        heal = await readOnly(lab, 'vm-2', '/var/lib/istio/envoy');
        await shown.selectRows(/^vm-1\b/, /^vm-2\b/);
        await shown.contextMenu(/^vm-2\b/, 'Push');
        assert.match((await shown.pickRows(LONG_MS)).join('\n'), /vm-1[\s\S]*vm-2/);
      },
    },
    {
      name: 'actions-06-one-failed',
      async run(shown) {
        await shown.page.keyboard.press('Enter');
        await shown.waitForNotification(/1 of 2 did not finish/, LONG_MS);
      },
      async holds() {
        await heal?.();
        heal = undefined;
        const [one, two] = await both((vm) => root(vm, `cat ${CLUSTER_ENV}`));
        assert.match(one ?? '', /10\.97/);
        assert.doesNotMatch(two ?? '', /10\.97/);
      },
    },
    {
      name: 'actions-07-retried',
      async run(shown) {
        await shown.notificationButton(/1 of 2 did not finish/, 'Retry Failed');
        await eventually('the file on vm-2', async () => (await root('vm-2', `cat ${CLUSTER_ENV}`)).includes('10.97'));
        await shown.treeItem(/^vm-2, in sync/i).waitFor({ timeout: LONG_MS });
      },
    },
    {
      name: 'actions-08-checks-of-two',
      async run(shown) {
        await shown.clearNotifications();
        await shown.selectRows(/^vm-1\b/, /^vm-2\b/);
        await shown.contextMenu(/^vm-1\b/, 'Check');
        // One after the other; the keys of the last one's terminal work.
        await shown.page.locator('.terminal-tabs-entry').nth(1).waitFor({ timeout: LONG_MS });
        await shown.waitForTerminal(/\d+ of \d+ passed/, LONG_MS);
        await shown.page.keyboard.press('o');
        await shown.waitForEditor('# Checks on vm-2');
      },
    },
    {
      name: 'actions-09-roll-back-plan',
      async run(shown) {
        await shown.focusRow(/^vm-1\b/);
        await shown.keyMenu('Roll Back');
        assert.match((await shown.pickRows(LONG_MS)).join('\n'), /cluster\.env/);
      },
    },
    {
      name: 'actions-10-rolled-back',
      async run(shown) {
        await shown.page.keyboard.press('Enter');
        await shown.treeItem(/^vm-1, needs a push/i).waitFor({ timeout: LONG_MS });
      },
      async holds() {
        const text = await root('vm-1', `cat ${CLUSTER_ENV}`);
        assert.match(text, /10\.96/);
        assert.doesNotMatch(text, /10\.97/);
        assert.equal(await root('vm-1', 'systemctl is-active istio'), 'active');
      },
    },
    {
      name: 'actions-11-terminal',
      async run(shown) {
        await shown.clearNotifications();
        await shown.contextMenu(/^vm-1\b/, 'Open Terminal on VM');
        await shown.waitForTerminal(/\$/);
        await shown.page.locator('.terminal-wrapper.active .xterm.focus').waitFor();
        await shown.page.keyboard.type('echo "I am $(whoami) on $(hostname)"\n', { delay: 5 });
        await shown.waitForTerminal('I am admin on vm-1');
      },
    },
    {
      name: 'actions-12-remote-ssh',
      async run(shown) {
        await shown.contextMenu(/^vm-1\b/, 'Open in Remote-SSH');
        await shown.waitForNotification('No Remote-SSH extension is installed');
      },
    },
  ];
  driveSteps(steps, () => workbench, otherScreenshots);
});
