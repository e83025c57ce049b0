// Setting up a cluster and registering services on the lab, through the core; kubectl and curl are the only witnesses.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments, stringify } from 'yaml';
import type { MeshError } from '../../src/mesh/errors.ts';
import { parseInventory } from '../../src/mesh/inventory.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { PlanEvent } from '../../src/mesh/plan.ts';
import { previewPlan, runPlan } from '../../src/mesh/planRunner.ts';
import type { Lab } from './env.ts';
import { labEnv } from './env.ts';
import { BALANCERS, removeBalancers } from './support/balancers.ts';
import { clusterMesh } from './support/clusterMesh.ts';
import { failure } from './support/failure.ts';

const SERVICES = `cluster-test-${process.pid}`;
const PORT = 19_999;

interface LiveService {
  metadata: { name: string; uid: string; resourceVersion: string; annotations?: Record<string, string>; labels?: Record<string, string> };
  spec: {
    type: string;
    clusterIP: string;
    selector?: Record<string, string>;
    ports: { name?: string; port: number; targetPort: number; protocol: string }[];
  };
  status: { loadBalancer: { ingress?: { ip?: string }[] } };
}

interface LiveEndpoints {
  metadata: { annotations?: Record<string, string> };
  subsets?: { addresses?: { ip: string }[]; ports?: { name: string; port: number; protocol: string }[] }[];
}

describe('a cluster on the lab', function () {
  this.timeout(90_000);
  let lab: Lab;
  const opened: Mesh[] = [];

  before(async () => {
    lab = await labEnv();
    await lab.kubectl(['create', 'namespace', SERVICES]);
    await removeBalancers(lab);
  });

  after(async () => {
    await lab.kubectl(['delete', 'namespace', SERVICES, '--wait=false']);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((mesh) => mesh.close()));
    await removeBalancers(lab);
  });

  function mesh(context: string, more: { provider?: string } = {}): Mesh {
    const text = stringify({
      version: 1,
      clusters: [{ name: 'prod', context, ...(more.provider !== undefined && { loadBalancers: { provider: more.provider } }) }],
      vms: [{ name: 'vm-1', cluster: 'prod', namespace: 'vm', address: lab.machine('vm-1').address }],
      services: [
        {
          name: 'web',
          cluster: 'prod',
          namespace: SERVICES,
          ports: [{ name: 'http', port: 80, targetPort: PORT }],
          vms: ['vm-1'],
          serviceAccount: 'robot',
          labels: { app: 'web' },
        },
        { name: 'nowhere', cluster: 'prod', namespace: 'no-such-namespace', ports: [{ name: 'http', port: 80 }], vms: ['vm-1'] },
      ],
    });
    const { inventory } = parseInventory(text);
    const one = clusterMesh(lab, inventory);
    opened.push(one);
    return one;
  }

  async function live(namespace: string, name: string): Promise<LiveService> {
    return (await lab.read(`/api/v1/namespaces/${namespace}/services/${name}`)) as LiveService;
  }

  async function serviceExists(namespace: string, name: string): Promise<boolean> {
    return (await lab.find(`/api/v1/namespaces/${namespace}/services/${name}`)) !== undefined;
  }

  async function noBalancers(): Promise<void> {
    for (const { namespace, name } of BALANCERS) assert.equal(await serviceExists(namespace, name), false, name);
  }

  for (const [context, source] of [
    ['lab', 'ServiceCIDR'],
    ['lab-old', 'dry-run'],
  ] as const) {
    it(`is set up, and a second time nothing changes (${context})`, async () => {
      const core = mesh(context);
      const preview = await core.setupPreview('prod');
      assert.deepEqual([preview.controlPlane.release, preview.provider, preview.providerSource], ['1.0.3', 'gcp', 'detected']);
      assert.deepEqual(preview.serviceCidrs, { cidrs: [lab.serviceCidr], source });
      assert.deepEqual(preview.denied, []);
      const plan = await core.planSetup('prod');
      assert.equal((await previewPlan(plan)).needed, true);
      await noBalancers();
      const result = await runPlan(plan);
      assert.equal(result.error, undefined);
      assert.equal(result.changed, true);
      const versions: string[] = [];
      for (const { namespace, name, ports, selector } of BALANCERS) {
        const { metadata, spec, status } = await live(namespace, name);
        assert.deepEqual(
          spec.ports.map((port) => [port.name, port.port, port.protocol].filter((part) => part !== undefined).join(' ')),
          ports,
          name,
        );
        assert.deepEqual(spec.selector, selector);
        assert.deepEqual(metadata.labels, selector);
        assert.equal(spec.type, 'LoadBalancer');
        assert.equal(metadata.annotations?.['cloud.google.com/load-balancer-type'], 'internal');
        assert.ok(
          status.loadBalancer.ingress?.[0]?.ip?.startsWith(lab.addresses.internalRange.replace(/0\/24$/, '')),
          `${name} has no internal address`,
        );
        versions.push(metadata.resourceVersion);
      }
      const again = await runPlan(await core.planSetup('prod'));
      assert.deepEqual([again.ok, again.changed], [true, false]);
      assert.deepEqual(
        await Promise.all(BALANCERS.map(async ({ namespace, name }) => (await live(namespace, name)).metadata.resourceVersion)),
        versions,
      );
    });
  }

  it('with a pending balancer says why, and stops waiting within 2 s of the cancel', async () => {
    const core = mesh('lab');
    const { manifest } = await core.setupPreview('prod');
    const documents = parseAllDocuments(manifest).filter((document) => document.get('kind') === 'Service');
    for (const document of documents)
      if (document.getIn(['metadata', 'name']) === 'mixer-ilb')
        document.setIn(['metadata', 'annotations', 'lab.mesh-expansion/pending'], 'true');
    const pending = documents.map((document) => `---\n${document.toString()}`).join('');
    const stop = new AbortController();
    let cancelledAt = 0;
    const onEvent = ({ progress }: PlanEvent) => {
      // The others are given their addresses a moment later.
      if (progress?.id !== 'citadel.setup.pending-event' || progress.args.names !== 'mixer-ilb' || cancelledAt > 0) return;
      cancelledAt = Date.now();
      stop.abort();
    };
    const result = await runPlan(await core.planSetup('prod', { manifest: pending }), { signal: stop.signal, onEvent });
    assert.ok(cancelledAt > 0, 'no event explained the pending balancer');
    assert.ok(Date.now() - cancelledAt < 2000);
    assert.deepEqual([result.ok, result.error?.code, result.states.at(-1)], [false, 'cancelled', 'cancelled']);
    const events = (
      await lab.kubectl([
        '-n',
        'istio-system',
        'get',
        'events',
        '--field-selector',
        'involvedObject.name=mixer-ilb,type=Warning',
        '-o',
        'jsonpath={.items[0].message}',
      ])
    ).stdout;
    assert.notEqual(events, '');

    const late = await runPlan(await core.planSetup('prod', { manifest: pending, waitMs: 500 }));
    assert.equal(late.error?.code, 'cluster.balancer-pending');
    assert.equal(late.error.userMessage.args.text, events);
    const balancers = await core.loadBalancers('prod');
    assert.deepEqual(balancers.map(({ ref, state }) => `${ref.name} ${state}`).sort(), [
      'citadel-ilb ready',
      'dns-ilb ready',
      'istio-pilot-ilb ready',
      'mixer-ilb pending',
    ]);
  });

  it('in conflict with another owner of a balancer shows it and forces nothing', async () => {
    const core = mesh('lab');
    const other = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'istio-pilot-ilb', namespace: 'istio-system' },
      spec: { type: 'ClusterIP', selector: { istio: 'elsewhere' }, ports: [{ name: 'x', port: 1 }] },
    };
    await lab.kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], { input: JSON.stringify(other) });
    const before = await live('istio-system', 'istio-pilot-ilb');
    const result = await runPlan(await core.planSetup('prod'));
    assert.deepEqual([result.ok, result.error?.code, result.error?.kind], [false, 'kube.conflict', 'person']);
    assert.equal(result.error?.userMessage.args.owners, 'other');
    assert.deepEqual(await live('istio-system', 'istio-pilot-ilb'), before);
  });

  it('without a known provider is refused, because the balancers would be public', async () => {
    const node = (await lab.kubectlJson(['get', 'node', 'lab'])) as { metadata: object; spec: { providerID?: string } };
    // A node's providerID cannot be changed, so the node is made anew.
    const replace = (spec: object) =>
      lab.kubectl(['replace', '--force', '-f', '-'], {
        input: JSON.stringify({ ...node, metadata: { ...node.metadata, resourceVersion: undefined, uid: undefined }, spec }),
      });
    await replace({ ...node.spec, providerID: undefined });
    try {
      const error = await failure(mesh('lab').planSetup('prod'));
      assert.equal(error.code, 'cluster.provider-unknown');
      assert.ok(error.nextStep);
      await noBalancers();
    } finally {
      await replace(node.spec);
    }
  });

  it('is not touched by an account that may not change it: what is missing is named first', async () => {
    const error = await failure(mesh('lab-viewer', { provider: 'gcp' }).planSetup('prod'));
    assert.equal(error.code, 'cluster.access-denied');
    const list = String(error.userMessage.args.list);
    for (const words of ['create services (istio-system)', 'create services (kube-system)', 'patch services (istio-system)'])
      assert.ok(list.includes(words), list);
    assert.ok(!list.includes('get services'), list);
    await noBalancers();
  });

  describe('with a registered service', () => {
    const unit = `cluster-test-${process.pid}`;
    const SERVER = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => ${PORT}, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { my $l; while (defined($l = <$c>) && $l !~ /^\\r?$/) {} print $c "HTTP/1.0 200 OK\\r\\nContent-Length: 8\\r\\n\\r\\nfrom vm1"; close $c }`;

    before(async () => {
      await lab.onMachine('vm-1', ['systemd-run', '--unit', unit, '--collect', 'perl', '-e', SERVER]);
    });

    after(async () => {
      await lab.onMachine('vm-1', ['systemctl', 'stop', unit]);
    });

    const ask = async () => {
      const { spec } = await live(SERVICES, 'web');
      return lab.inCluster(['curl', '-sS', '--max-time', '2', `http://${spec.clusterIP}:80/`], { tolerant: true });
    };

    it('answers inside the cluster through the cluster IP, once, and no more after deregister', async () => {
      const core = mesh('lab');
      const result = await runPlan(await core.planRegister('web'));
      assert.equal(result.error, undefined);
      assert.equal(result.changed, true);
      const service = await live(SERVICES, 'web');
      assert.equal(service.spec.selector, undefined);
      assert.deepEqual(service.spec.ports, [{ name: 'http', port: 80, protocol: 'TCP', targetPort: PORT }]);
      assert.deepEqual(
        [service.metadata.annotations?.['alpha.istio.io/kubernetes-serviceaccounts'], service.metadata.labels?.app],
        ['robot', 'web'],
      );
      const endpoints = async () => (await lab.read(`/api/v1/namespaces/${SERVICES}/endpoints/web`)) as LiveEndpoints;
      const registered = await endpoints();
      assert.deepEqual(registered.subsets, [
        { addresses: [{ ip: lab.machine('vm-1').address }], ports: [{ name: 'http', port: PORT, protocol: 'TCP' }] },
      ]);
      assert.equal(registered.metadata.annotations?.['alpha.istio.io/kubernetes-serviceaccounts'], 'robot');
      let answer = await ask();
      for (const deadline = Date.now() + 20_000; answer.code !== 0 && Date.now() < deadline; answer = await ask()) await sleep(200);
      assert.equal(answer.stdout, 'from vm1', answer.stderr);

      const again = await runPlan(await core.planRegister('web'));
      assert.deepEqual([again.ok, again.changed], [true, false]);
      assert.deepEqual(await endpoints(), registered);

      const gone = await runPlan(await core.planDeregister('web'));
      assert.deepEqual([gone.ok, gone.changed], [true, true]);
      assert.deepEqual((await endpoints()).subsets ?? [], []);
      assert.equal((await live(SERVICES, 'web')).metadata.uid, service.metadata.uid);
      let still = await ask();
      for (const deadline = Date.now() + 20_000; still.code === 0 && Date.now() < deadline; still = await ask()) await sleep(200);
      assert.notEqual(still.code, 0, 'it still answers');
      const idle = await runPlan(await core.planDeregister('web'));
      assert.deepEqual([idle.ok, idle.changed], [true, false]);
    });

    it('in a namespace that is not there is refused, and an account without rights changes nothing', async () => {
      const error = await failure(mesh('lab').planRegister('nowhere'));
      assert.deepEqual([error.code, error.userMessage.args.namespace], ['citadel.namespace-missing', 'no-such-namespace']);
      await lab.kubectl(['-n', SERVICES, 'delete', 'service,endpoints', 'web', '--ignore-not-found']);
      const core = mesh('lab-viewer');
      const refused = await core.planRegister('web').then(
        (plan) => runPlan(plan).then(({ error: inside }) => inside),
        (thrown: unknown) => thrown as MeshError,
      );
      assert.equal(refused?.code, 'kube.forbidden');
      assert.equal(await serviceExists(SERVICES, 'web'), false);
    });
  });
});
