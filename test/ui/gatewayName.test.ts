// A gateway with a host name and no address, and machines that are to call istiod by that name (`ingress.hostname: san`): chosen in the form, to the end.
import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { packExtension } from '../../scripts/package.mjs';
import { addName } from '../lab/dns.ts';
import { istiodLab, type Lab } from '../lab/env.ts';
import { startIstiod } from '../lab/istiodControl.ts';
import { applyGroup, entriesOf, eventually, hideIstiod } from '../lab/support/istiodGuide.ts';
import { driveSteps, otherScreenshots, type DrivenStep } from './drive.ts';
import { Form } from './form.ts';
import { labFolder, type InventoryText } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const LONG_MS = 120_000;
const NAME = 'eastwest.lab.internal';
const GATEWAY = ['-n', 'istio-system', 'service', 'istio-eastwestgateway'];
const GROUP = { name: 'orders', namespace: 'vm' };

describe('a gateway with a host name that machines call istiod by, by mouse and keyboard', function () {
  this.timeout(240_000);
  let workbench: Workbench | undefined;
  let lab: Lab;
  let inventory: InventoryText;

  const custom = (value: string) => lab.kubectl(['-n', 'istio-system', 'set', 'env', 'deployment/istiod', `ISTIOD_CUSTOM_HOST${value}`]);

  before(async () => {
    lab = await istiodLab();
    await hideIstiod(lab);
    await addName(lab, NAME, lab.addresses.pods.eastwestgateway);
    await lab.kubectl(['annotate', '--overwrite', ...GATEWAY, `lab.mesh-expansion/hostname=${NAME}`]);
    await lab.kubectl(['wait', ...GATEWAY, `--for=jsonpath={.status.loadBalancer.ingress[0].hostname}=${NAME}`, '--timeout=30s']);
    await applyGroup(lab, GROUP);
    const made = labFolder(lab);
    ({ inventory } = made);
    workbench = await startWorkbench({ ...made.options, vsix: await packExtension({ reuse: true }) });
  });

  after(async () => {
    await workbench?.close();
    await lab.kubectl(['annotate', ...GATEWAY, 'lab.mesh-expansion/hostname-']);
    await custom('-');
    await startIstiod(lab);
    await lab.kubectl(['delete', 'workloadgroups.networking.istio.io', '-n', 'vm', '--all']);
  });

  const steps: readonly DrivenStep[] = [
    {
      name: 'gateway-name-01-form',
      async run(shown) {
        await shown.openContainer('Mesh Expansion');
        await shown.widenSideBar(110);
        await shown.expand(/^lab\b/);
        await shown.treeItem(/^istio-eastwestgateway.*eastwest\.lab\.internal/).waitFor({ timeout: LONG_MS });
        await shown.contextMenu(/^lab\b/, 'Set Up Cluster');
        const form = new Form(shown);
        await form.open('Set Up Cluster');
        await form.choose('ingressHostname', 'san');
        await form.ready(LONG_MS);
        const command = `ISTIOD_CUSTOM_HOST=${NAME}`;
        await eventually('the command for the certificate', async () => (await form.preview()).includes(command));
      },
    },
    {
      name: 'gateway-name-02-set-up',
      async run(shown) {
        await new Form(shown).run();
        await shown.waitForNotification(/Done: \d+ of \d+/, LONG_MS);
        await shown.clearNotifications();
        await shown.treeItem(/^More names in istiod.s certificate/).waitFor({ timeout: LONG_MS });
      },
      async holds() {
        const { clusters } = parse(inventory.read()) as { clusters: { ingress?: object }[] };
        assert.deepEqual(clusters[0]?.ingress, { service: 'istio-eastwestgateway', hostname: 'san' });
        await lab.kubectl(['get', 'gateways.networking.istio.io', '-n', 'istio-system', 'istiod-gateway']);
      },
    },
    {
      name: 'gateway-name-03-certificate',
      async run(shown) {
        await custom(`=${NAME}`);
        await startIstiod(lab, { ISTIOD_CUSTOM_HOST: NAME });
        await shown.contextMenu(/^lab\b/, 'Refresh');
        await shown.treeItem(/^More names in istiod.s certificate/).waitFor({ state: 'hidden', timeout: LONG_MS });
      },
    },
    {
      name: 'gateway-name-04-joined',
      async run(shown) {
        await shown.command('Mesh Expansion: Join VM');
        const form = new Form(shown);
        await form.open('Join VM');
        await form.check('hosts', 'vm-1');
        await form.field('workloadGroup').waitFor();
        await form.type('package', lab.sidecarPackageUrl);
        await form.ready(LONG_MS);
        await form.run();
        await shown.treeItem(/^vm-1, .*\bconnected/).waitFor({ timeout: LONG_MS });
        await shown.clearNotifications();
        await shown.expand(/^vm-1\b/);
      },
      async holds() {
        const root = async (script: string): Promise<string> => (await lab.onMachine('vm-1', ['sh', '-c', script])).stdout;
        assert.match(await root('cat /var/lib/istio/envoy/cluster.env'), /^CA_ADDR='eastwest\.lab\.internal:15012'$/m);
        assert.doesNotMatch(await root('cat /etc/hosts'), /istiod/);
        const [entry] = await entriesOf(lab, GROUP);
        assert.equal(entry?.spec.address, lab.machine('vm-1').address);
        assert.ok(entry.metadata.annotations?.['istio.io/connectedAt']);
        const page = 'curl -sS -m 10 -o /dev/null -w "%{http_code}" http://productpage.bookinfo.svc.cluster.local:9080/';
        assert.equal(await root(page), '200');
      },
    },
    {
      name: 'gateway-name-05-left',
      async run(shown) {
        await shown.contextMenu(/^vm-1\b/, 'Leave Mesh');
        await shown.dialogButton('Leave Mesh');
        await shown.treeItem(/^vm-1, not joined/i).waitFor({ timeout: LONG_MS });
      },
    },
  ];
  driveSteps(steps, () => workbench, otherScreenshots);
});
