import assert from 'node:assert/strict';
import { packExtension } from '../../scripts/package.mjs';
import type { Lab } from '../lab/env.ts';
import { BALANCERS, removeBalancers } from '../lab/support/balancers.ts';
import { driveSteps, type DrivenStep } from './drive.ts';
import { EDITED_LINE, journey, type Place } from './journey.ts';
import { labPlace, type InventoryText } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const VM = 'vm-1';

interface Service {
  metadata: { annotations?: Record<string, string>; managedFields?: { manager: string; operation: string }[] };
  spec: { clusterIP: string; ports: { name: string; port: number }[] };
  status: { loadBalancer: { ingress?: { ip: string }[] } };
}

/** What the cluster and the machine say after a step, asked with kubectl and ssh alone. */
type Assertion = (lab: Lab, before: Map<string, string>) => Promise<void>;

const onVm = async (lab: Lab, ...argv: string[]): Promise<string> => (await lab.ssh(VM, argv)).stdout.trim();
const get = async <T>(lab: Lab, ...argv: string[]): Promise<T> => (await lab.kubectlJson(['get', ...argv])) as T;

/** Microseconds since boot when the unit was last started. */
const ISTIO_STARTED = ['systemctl', 'show', '-p', 'ActiveEnterTimestampMonotonic', '--value', 'istio'] as const;

/** Files and states that a leave must bring back. */
async function footprint(lab: Lab): Promise<Map<string, string>> {
  const questions: Record<string, string[]> = {
    resolver: ['cat', '/etc/resolv.conf'],
    dnsmasq: ['ls', '/etc/dnsmasq.d'],
    places: [
      'sudo',
      'find',
      '/etc/certs',
      '/var/lib/istio',
      '/var/lib/mesh-expansion',
      '/var/log/istio',
      '/usr/local/bin',
      '-printf',
      '%p %m %u\\n',
    ],
    user: ['getent', 'passwd', 'istio-proxy'],
    package: ['dpkg-query', '-W', '-f', '${Status}', 'istio-sidecar'],
    units: ['systemctl', 'list-unit-files', '--no-legend', 'istio*'],
  };
  const found = new Map<string, string>();
  for (const [name, argv] of Object.entries(questions)) found.set(name, (await lab.ssh(VM, argv, { tolerant: true })).stdout.trim());
  return found;
}

const assertions: Readonly<Record<string, Assertion>> = {
  '04-set-up-done': async (lab) => {
    for (const { namespace, name } of BALANCERS) {
      const service = await get<Service>(lab, 'service', '-n', namespace, name, '--show-managed-fields');
      assert.match(service.metadata.annotations?.['cloud.google.com/load-balancer-type'] ?? '', /^internal$/i, name);
      assert.match(service.status.loadBalancer.ingress?.[0]?.ip ?? '', /^10\.\d+\.2\.\d+$/, name);
      assert.ok(
        service.metadata.managedFields?.some(({ manager, operation }) => manager === 'mesh-expansion' && operation === 'Apply'),
        name,
      );
    }
  },
  '06-joined': async (lab) => {
    assert.equal(await onVm(lab, 'sudo', 'stat', '-c', '%a %U', '/etc/certs/key.pem'), '600 istio-proxy');
    for (const unit of ['istio', 'istio-auth-node-agent']) {
      assert.equal(await onVm(lab, 'systemctl', 'is-active', unit), 'active');
      assert.equal(await onVm(lab, 'systemctl', 'is-enabled', unit), 'enabled');
    }
    const pilot = await get<Service>(lab, 'service', '-n', 'istio-system', 'istio-pilot-ilb');
    assert.match(
      await onVm(lab, 'host', '-t', 'A', 'istio-pilot.istio-system'),
      new RegExp(`has address ${(pilot.status.loadBalancer.ingress?.[0]?.ip ?? 'none').replaceAll('.', '\\.')}$`),
    );
    const productpage = await get<Service>(lab, 'service', '-n', 'bookinfo', 'productpage');
    assert.match(
      await onVm(lab, 'host', '-t', 'A', 'productpage.bookinfo.svc.cluster.local'),
      new RegExp(`has address ${productpage.spec.clusterIP.replaceAll('.', '\\.')}$`),
    );
    assert.equal(
      await onVm(
        lab,
        'curl',
        '-sS',
        '-m',
        '10',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        'http://productpage.bookinfo.svc.cluster.local:9080/',
      ),
      '200',
    );
  },
  '10-pushed': async (lab, before) => {
    assert.ok((await onVm(lab, 'sudo', 'cat', '/etc/dnsmasq.d/kubedns')).split('\n').includes(EDITED_LINE));
    assert.match(await onVm(lab, 'host', '-t', 'A', 'legacy-db.example'), /has address 192\.0\.2\.7$/);
    before.set('istio started', await onVm(lab, ...ISTIO_STARTED));
  },
  '12-ports-exposed': async (lab, before) => {
    assert.match(await onVm(lab, 'sudo', 'cat', '/var/lib/istio/envoy/sidecar.env'), /^ISTIO_INBOUND_PORTS=3306$/m);
    assert.ok(Number(await onVm(lab, ...ISTIO_STARTED)) > Number(before.get('istio started')), 'istio was not restarted');
    before.delete('istio started');
  },
  '14-registered': async (lab) => {
    const service = await get<Service>(lab, 'service', '-n', 'onprem', 'mysql');
    assert.deepEqual(
      service.spec.ports.map(({ name, port }) => [name, port]),
      [['mysql', 3306]],
    );
    assert.equal(service.metadata.annotations?.['alpha.istio.io/kubernetes-serviceaccounts'], 'default');
    const endpoints = await get<{ subsets: { addresses: { ip: string }[]; ports: { port: number }[] }[] }>(
      lab,
      'endpoints',
      '-n',
      'onprem',
      'mysql',
    );
    assert.deepEqual(
      endpoints.subsets.map(({ addresses, ports }) => [addresses.map(({ ip }) => ip), ports.map(({ port }) => port)]),
      [[[lab.machine(VM).address], [3306]]],
    );
  },
  '16-left': async (lab, before) => {
    assert.deepEqual(await footprint(lab), before);
  },
};

describe('the whole job by mouse and keyboard, on the lab', function () {
  this.timeout(360_000);
  let workbench: Workbench | undefined;
  let lab: Lab;
  let place: Place;
  let inventory: InventoryText;
  let untouched: Map<string, string>;

  before(async () => {
    const prepared = await labPlace(VM);
    ({ lab, place, inventory } = prepared);
    await removeBalancers(lab);
    untouched = await footprint(lab);
    workbench = await startWorkbench({ ...prepared.options, vsix: await packExtension({ reuse: true }) });
  });

  after(async () => {
    await workbench?.close();
    await lab.kubectl(['delete', 'service', '-n', 'onprem', 'mysql', '--ignore-not-found']);
  });

  const steps: readonly DrivenStep[] = journey.map((step) => ({
    name: step.name,
    run: (shown) => step.run(shown, place),
    holds: async () => assertions[step.name]?.(lab, untouched),
  }));
  /** After a form has joined the machine, and nothing of it may hide what the file says. */
  const editedByHand: DrivenStep = {
    name: '06-joined-edited',
    async run(shown) {
      const text = inventory.read();
      inventory.write(text.replace(/^( +)namespace: vm$/m, '$&\n$1inboundPorts: [3306]'));
      await shown.treeItem(new RegExp(`^${VM}, needs a push`, 'i')).waitFor();
      inventory.write(text);
      await shown.treeItem(new RegExp(`^${VM}, in sync`, 'i')).waitFor();
    },
  };
  const after06 = steps.findIndex(({ name }) => name === '06-joined') + 1;
  driveSteps(steps.toSpliced(after06, 0, editedByHand), () => workbench);
});
