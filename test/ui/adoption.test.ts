// A service that was registered by hand, on the lab: its unmanaged machine adopted, the service taken out; then what is known, filtered and collected.
import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { packExtension } from '../../scripts/package.mjs';
import type { Lab } from '../lab/env.ts';
import { commandLine } from './commandLine.ts';
import { driveSteps, otherScreenshots, type DrivenStep } from './drive.ts';
import { labPlace, type InventoryText } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const LONG_MS = 90_000;
const DONE = /Done: \d+ of \d+/;

describe('a service that was registered by hand, on the lab', function () {
  this.timeout(240_000);
  let workbench: Workbench | undefined;
  let lab: Lab;
  let folder: string;
  let inventory: InventoryText;

  const get = async <T>(...argv: string[]): Promise<T> => (await lab.kubectlJson(['get', ...argv])) as T;
  /** As `istioctl register` leaves them (citadel facts 5): a Service without a selector, Endpoints with two machines. */
  const registerByHand = async (): Promise<void> => {
    const metadata = { name: 'mysql', namespace: 'onprem', annotations: { 'alpha.istio.io/kubernetes-serviceaccounts': 'default' } };
    const ports = [{ name: 'mysql', port: 3306 }];
    const addresses = ['vm-1', 'vm-2'].map((vm) => ({ ip: lab.machine(vm).address }));
    const items = [
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } },
      { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets: [{ addresses, ports }] },
    ];
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  };

  before(async () => {
    const prepared = await labPlace();
    ({ lab, folder, inventory } = prepared);
    const vsix = await packExtension({ reuse: true });
    inventory.write(`${inventory.read()}vms:\n  - name: vm-1\n    cluster: lab\n    namespace: vm\n`);
    await commandLine(lab, folder, 'cluster', 'setup', '--cluster', lab.contexts.lab);
    workbench = await startWorkbench({ ...prepared.options, vsix });
  });

  after(async () => {
    await workbench?.close();
    await lab.kubectl(['delete', 'service,endpoints', '-n', 'onprem', '--all']);
  });

  const steps: readonly DrivenStep[] = [
    {
      name: 'adoption-01-unmanaged',
      async run(shown) {
        await shown.openContainer('Mesh Expansion');
        await shown.widenSideBar(110);
        await shown.expand(/^lab\b/);
        await shown.treeItem(/^vm-1, not joined/i).waitFor({ timeout: LONG_MS });
        await registerByHand();
        inventory.write(
          `${inventory.read()}services:\n  - { name: mysql, cluster: lab, namespace: onprem, ports: [{ name: mysql, port: 3306 }], vms: [vm-1] }\n`,
        );
        await shown.focusRow(/^lab, Istio/);
        await shown.keyMenu('Refresh');
        await shown
          .treeItem(new RegExp(`^${lab.machine('vm-2').address.replaceAll('.', '\\.')}, unmanaged, in onprem/mysql`))
          .waitFor({ timeout: LONG_MS });
      },
    },
    {
      name: 'adoption-02-adopt',
      async run(shown) {
        await shown.inlineAction(/unmanaged, in onprem/, 'Adopt');
        assert.match((await shown.pickRows())[0] ?? '', /^vm-2/);
      },
    },
    {
      name: 'adoption-03-adopted',
      async run(shown) {
        await shown.page.keyboard.press('Enter');
        await shown
          .treeItem(/^vm-2\b/)
          .first()
          .waitFor({ timeout: LONG_MS });
        await shown.expand(/^onprem\/mysql/);
        assert.equal(await shown.treeItem(/unmanaged/).count(), 0);
      },
      holds() {
        const { vms, services } = parse(inventory.read()) as { vms: Record<string, unknown>[]; services: { vms: string[] }[] };
        assert.deepEqual(
          vms.find(({ name }) => name === 'vm-2'),
          { name: 'vm-2', cluster: 'lab', namespace: 'onprem', address: lab.machine('vm-2').address },
        );
        assert.deepEqual(services[0]?.vms, ['vm-1', 'vm-2']);
        return Promise.resolve();
      },
    },
    {
      name: 'adoption-04-deregistered',
      async run(shown) {
        await shown.focusRow(/^onprem\/mysql/);
        await shown.keyMenu('Deregister Service');
        assert.match((await shown.pickRows(LONG_MS)).join('\n'), /onprem\/mysql/);
        await shown.page.keyboard.press('Enter');
        await shown.waitForNotification(DONE, LONG_MS);
      },
      async holds() {
        // As istioctl leaves them: the Service stays, its Endpoints have no address (citadel facts 10).
        const { subsets = [] } = await get<{ subsets?: { addresses?: object[] }[] }>('endpoints', '-n', 'onprem', 'mysql');
        assert.deepEqual(
          subsets.flatMap(({ addresses = [] }) => addresses),
          [],
        );
      },
    },
    {
      name: 'adoption-05-filtered',
      async run(shown) {
        await shown.clearNotifications();
        await shown.command('Mesh Expansion: Filter');
        await shown.page.locator('.monaco-tree-type-filter input').waitFor();
        await shown.page.keyboard.type('pilot', { delay: 20 });
        await shown.treeItem(/^istio-pilot-ilb/).waitFor();
      },
    },
    {
      name: 'adoption-06-diagnostics',
      async run(shown) {
        await shown.page.keyboard.press('Escape');
        await shown.command('Mesh Expansion: Collect Diagnostics');
        await shown.waitForEditor('"extension"');
        await shown.page.keyboard.press('Control+A');
        await shown.page.keyboard.press('Control+C');
        const report = await shown.clipboard();
        assert.equal((JSON.parse(report) as { vms: unknown[] }).vms.length, 2);
        const secrets = [lab.machine('vm-1').address, lab.addresses.apiServer, lab.sshConfig, folder, 'vm-1', 'BEGIN'];
        for (const secret of secrets) assert.ok(!report.includes(secret), secret);
      },
    },
  ];
  driveSteps(steps, () => workbench, otherScreenshots);
});
