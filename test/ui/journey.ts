import { Form } from './form.ts';
import type { Workbench } from './workbench.ts';

/** Where the job is done: names as the extension shows them. */
export interface Place {
  readonly cluster: string;
  readonly vm: string;
  /** What is typed into the form's package field. */
  readonly packageText: string;
}

export interface JourneyStep {
  /** Also the name of its screenshot. */
  readonly name: string;
  run(workbench: Workbench, place: Place): Promise<void>;
}

const LONG_MS = 90_000;
const KUBEDNS = '/etc/dnsmasq.d/kubedns';
/** The line that the journey adds to a generated file. */
export const EDITED_LINE = 'address=/legacy-db.example/192.0.2.7';

/** The whole job of the guide by mouse and keyboard, in order; each step leaves something to look at on the screen. */
export const journey: readonly JourneyStep[] = [
  {
    name: '01-clusters',
    async run(workbench, { cluster }) {
      await workbench.openContainer('Mesh Expansion');
      await workbench.widenSideBar(110);
      await workbench.expand(new RegExp(`^${cluster}\\b`));
      await workbench
        .treeItem(/Load balancers/)
        .first()
        .waitFor({ timeout: LONG_MS });
    },
  },
  {
    name: '02-set-up-form',
    async run(workbench, { cluster }) {
      await workbench.contextMenu(new RegExp(`^${cluster}\\b`), 'Set Up Cluster');
      const form = new Form(workbench);
      await form.open('Set Up Cluster');
      await form.ready();
    },
  },
  {
    name: '03-set-up-yaml',
    async run(workbench) {
      await new Form(workbench).press('YAML');
      await workbench.waitForEditor('load-balancer-type');
    },
  },
  {
    name: '04-set-up-done',
    async run(workbench) {
      await new Form(workbench).run();
      await workbench.treeItem(/istio-pilot-ilb.*ready/i).waitFor({ timeout: LONG_MS });
      await workbench.treeItem(/dns-ilb.*ready/i).waitFor({ timeout: LONG_MS });
      await workbench.clearNotifications();
    },
  },
  {
    name: '05-join-form',
    async run(workbench, { cluster, vm, packageText }) {
      await workbench.command('Mesh Expansion: Join VM');
      const form = new Form(workbench);
      await form.open('Join VM');
      await form.check('hosts', vm);
      await form.choose('cluster', cluster);
      await form.type('namespace', 'vm');
      await form.type('package', packageText);
      await form.ready(LONG_MS);
    },
  },
  {
    name: '06-joined',
    async run(workbench, { vm }) {
      await new Form(workbench).run();
      await workbench.treeItem(new RegExp(`^${vm}, in sync`, 'i')).waitFor({ timeout: LONG_MS });
      await workbench.clearNotifications();
      await workbench.expand(new RegExp(`^${vm}\\b`));
    },
  },
  {
    name: '07-generated-file',
    async run(workbench, { vm }) {
      // Rows that are drawn anew while it opened may have closed it again.
      await workbench.expand(new RegExp(`^${vm}\\b`));
      await workbench.treeItem(new RegExp(KUBEDNS)).first().click();
      await workbench.waitForEditor('server=/svc.cluster.local/');
      await workbench.hoverText('address=/istio-pilot/');
    },
  },
  {
    name: '08-edited',
    async run(workbench, { vm }) {
      await workbench.appendLine(EDITED_LINE);
      await workbench.page.keyboard.press('Control+S');
      await workbench.treeItem(new RegExp(`^${vm}, needs a push`, 'i')).waitFor({ timeout: LONG_MS });
    },
  },
  {
    name: '09-push-plan',
    async run(workbench, { vm }) {
      await workbench.inlineAction(new RegExp(`^${vm}\\b`), 'Push');
      await workbench.planRows().first().waitFor({ timeout: LONG_MS });
    },
  },
  {
    name: '10-pushed',
    async run(workbench, { vm }) {
      await workbench.page.keyboard.press('Enter');
      await workbench.treeItem(new RegExp(`^${vm}, in sync`, 'i')).waitFor({ timeout: LONG_MS });
      await workbench.clearNotifications();
    },
  },
  {
    name: '11-checked',
    async run(workbench, { vm }) {
      await workbench.inlineAction(new RegExp(`^${vm}\\b`), 'Check');
      await workbench.waitForTerminal(/\d+ of \d+ passed/, LONG_MS);
    },
  },
  {
    name: '12-ports-exposed',
    async run(workbench, { vm }) {
      await workbench.contextMenu(new RegExp(`^${vm}\\b`), 'Expose Ports');
      await workbench.answer('3306');
      await workbench.planRows().first().waitFor({ timeout: LONG_MS });
      await workbench.page.keyboard.press('Enter');
      await workbench.waitForNotification(/Done: \d+ of \d+/, LONG_MS);
      await workbench.treeItem(new RegExp(`^${vm}, in sync`, 'i')).waitFor({ timeout: LONG_MS });
      await workbench.clearNotifications();
    },
  },
  {
    name: '13-register-form',
    async run(workbench, { vm }) {
      await workbench.command('Mesh Expansion: Register Service');
      const form = new Form(workbench);
      await form.open('Register Service');
      await form.type('name', 'mysql');
      await form.type('namespace', 'onprem');
      await form.type('ports-0-port', '3306');
      await form.check('vms', vm);
      await form.ready(LONG_MS);
    },
  },
  {
    name: '14-registered',
    async run(workbench) {
      await new Form(workbench).run();
      await workbench.treeItem(/onprem\/mysql.*:3306/).waitFor({ timeout: LONG_MS });
      await workbench.clearNotifications();
      await workbench.expand(/onprem\/mysql/);
    },
  },
  {
    name: '15-leave-question',
    async run(workbench, { vm }) {
      await workbench.contextMenu(new RegExp(`^${vm}\\b`), 'Leave Mesh');
      await workbench.broughtBy(vm, workbench.page.locator('.monaco-dialog-box'));
    },
  },
  {
    name: '16-left',
    async run(workbench, { vm }) {
      await workbench.dialogButton('Leave Mesh');
      await workbench.treeItem(new RegExp(`^${vm}, not joined`, 'i')).waitFor({ timeout: LONG_MS });
    },
  },
];
