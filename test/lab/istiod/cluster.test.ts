// A cluster with a real istiod, through the core: what is found, set up, grouped and registered. kubectl and a TLS connection are the only witnesses.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { stringify } from 'yaml';
import { isMeshError, type MeshError } from '../../../src/mesh/errors.ts';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { WorkloadGroup } from '../../../src/mesh/model.ts';
import { runPlan } from '../../../src/mesh/planRunner.ts';
import { istiodLab, type Lab } from '../env.ts';
import { clusterMesh } from '../support/clusterMesh.ts';
import { hideIstiod } from '../support/istiodGuide.ts';

const NAMESPACE = `groups-${process.pid}`;
const ADDRESS = '10.77.0.5';
const ENTRY = `mysql-${ADDRESS}`;

const group = (more: Partial<WorkloadGroup> = {}): WorkloadGroup => ({
  namespace: NAMESPACE,
  name: 'mysql',
  serviceAccount: 'mysql',
  labels: { app: 'mysql', version: 'v1' },
  annotations: {},
  ports: { mysql: 3306 },
  probe: { periodSeconds: 5, handler: { kind: 'httpGet', port: 8080, path: '/healthz' } },
  ...more,
});

async function failure(promise: Promise<unknown>): Promise<MeshError> {
  const error: unknown = await promise.then(
    () => assert.fail('no error'),
    (thrown: unknown) => thrown,
  );
  assert.ok(isMeshError(error), String(error));
  return error;
}

/** The names in the certificate that answers for istiod at the gateway; undefined where nobody does. */
function istiodNames(host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 15012, servername: 'istiod.istio-system.svc', rejectUnauthorized: false, timeout: 2000 });
    const done = (names?: string): void => {
      socket.destroy();
      resolve(names);
    };
    socket.once('secureConnect', () => done(socket.getPeerCertificate().subjectaltname));
    socket.once('error', () => done());
    socket.once('timeout', () => done());
    socket.once('close', () => done());
  });
}

describe('a cluster with istiod on the lab', function () {
  this.timeout(90_000);
  let lab: Lab;
  let gateway: string;
  const opened: Mesh[] = [];

  const kubectl = (...argv: string[]) => lab.kubectl(argv);

  before(async () => {
    lab = await istiodLab();
    gateway = (
      await kubectl('-n', 'istio-system', 'get', 'service', 'istio-eastwestgateway', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
    ).stdout;
    await kubectl('create', 'namespace', NAMESPACE);
    await hideIstiod(lab);
  });

  after(async () => {
    await hideIstiod(lab);
    await kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((mesh) => mesh.close()));
  });

  function mesh(context = lab.contexts.lab): Mesh {
    const vm = { cluster: 'prod', namespace: NAMESPACE, workloadGroup: 'mysql' };
    const { inventory } = parseInventory(
      stringify({
        version: 1,
        clusters: [{ name: 'prod', context }],
        vms: [
          { name: 'db-1', address: ADDRESS, ...vm },
          { name: 'db-2', address: '10.77.0.6', ...vm },
        ],
        services: [
          { name: 'mysql', cluster: 'prod', namespace: NAMESPACE, ports: [{ name: 'tcp-mysql', port: 3306 }], vms: ['db-1', 'db-2'] },
          {
            name: 'reports',
            cluster: 'prod',
            namespace: NAMESPACE,
            ports: [{ name: 'http', port: 80, targetPort: 8080 }],
            vms: ['db-1'],
            hosts: ['reports.corp.example'],
          },
        ],
      }),
    );
    const one = clusterMesh(lab, inventory);
    opened.push(one);
    return one;
  }

  async function run(plan: Promise<Parameters<typeof runPlan>[0]>): Promise<boolean> {
    const { error, changed } = await runPlan(await plan);
    assert.equal(error, undefined, JSON.stringify(error));
    return changed;
  }

  it('is found with its release, revision, trust domain and gateway, each with its source', async () => {
    const plane = await mesh().controlPlane('prod');
    assert.deepEqual([plane.era, plane.release], ['istiod', '1.31.0']);
    const shown = Object.fromEntries((plane.details ?? []).map(({ id, value }) => [id, value]));
    assert.deepEqual(shown, {
      revision: 'default',
      tag: 'default: default',
      'trust-domain': 'cluster.local',
      'cluster-id': 'Kubernetes',
      gateway: 'istio-system/istio-eastwestgateway',
      'gateway-address': gateway,
      exposed: '-',
    });
    assert.deepEqual(
      (plane.details ?? []).filter(({ attention }) => attention === true).map(({ id }) => id),
      ['exposed'],
    );
    assert.deepEqual(plane.limits, []);
    assert.ok(plane.details?.every(({ id, source }) => id === 'exposed' || source !== undefined));
  });

  it('is set up: istiod answers at the gateway, and a second time nothing changes', async () => {
    assert.equal(await istiodNames(gateway), undefined);
    const preview = await mesh().setupPreview('prod');
    assert.deepEqual([preview.providerSource, preview.denied, preview.commands], ['not-asked', [], undefined]);
    assert.deepEqual(
      preview.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['Gateway istiod-gateway', 'VirtualService istiod-vs'],
    );
    assert.equal(await run(mesh().planSetup('prod')), true);
    let names: string | undefined;
    for (let tries = 0; names === undefined && tries < 30; tries++) {
      await sleep(500);
      names = await istiodNames(gateway);
    }
    assert.match(names ?? '', /DNS:istiod\.istio-system\.svc(,|$)/);
    const again = mesh();
    assert.equal((await again.setupPreview('prod')).manifest, '');
    assert.equal(await run(again.planSetup('prod')), false);
    assert.equal((await again.controlPlane('prod')).details?.find(({ id }) => id === 'exposed')?.value, 'istio-system/istiod-vs');
  });

  it('names what an account may not do before anything is started', async () => {
    const viewer = mesh(lab.contexts.viewer);
    const preview = await viewer.setupPreview('prod');
    assert.ok(
      preview.denied.some(({ verb, resource }) => verb === 'create' && resource === 'gateways'),
      JSON.stringify(preview.denied),
    );
    const error = await failure(viewer.planWorkloadGroup('prod', group()));
    assert.equal(error.code, 'cluster.access-denied');
    assert.match(String(error.userMessage.args.list), new RegExp(`create workloadgroups.networking.istio.io \\(${NAMESPACE}\\)`));
    assert.match(String(error.userMessage.args.list), new RegExp(`create serviceaccounts/token \\(${NAMESPACE}\\)`));
    assert.match((await kubectl('-n', NAMESPACE, 'get', 'workloadgroups', '--ignore-not-found')).stdout, /^$/);
  });

  it('gets a group and its service account, names a wrong field, and keeps what others own', async () => {
    const wrong = await failure(mesh().planWorkloadGroup('prod', group({ ports: { mysql: 70_000 } })));
    assert.deepEqual([wrong.code, wrong.field], ['group.invalid', 'ports.mysql']);
    assert.equal(await run(mesh().planWorkloadGroup('prod', group())), true);
    await kubectl('-n', NAMESPACE, 'get', 'serviceaccount', 'mysql');
    assert.equal(await run(mesh().planWorkloadGroup('prod', group())), false);
    const [read] = (await mesh().workloadGroups('prod'))?.filter(({ ref }) => ref.namespace === NAMESPACE) ?? [];
    assert.deepEqual(read?.group, group());
    await kubectl('-n', NAMESPACE, 'patch', 'workloadgroup', 'mysql', '--type=merge', '-p', '{"spec":{"template":{"weight":7}}}');
    assert.equal(await run(mesh().planWorkloadGroup('prod', group({ labels: { app: 'mysql' } }))), true);
    const { spec } = (await lab.kubectlJson(['-n', NAMESPACE, 'get', 'workloadgroup', 'mysql'])) as { spec: unknown };
    assert.deepEqual(spec, {
      metadata: { labels: { app: 'mysql' } },
      template: { ports: { mysql: 3306 }, serviceAccount: 'mysql', weight: 7 },
      probe: { periodSeconds: 5, httpGet: { path: '/healthz', port: 8080 } },
    });
  });

  /** Makes the machine's entry anew; istiod deletes one of a group that says that it is disconnected, 10 s later. */
  const makeEntry = (labels: Record<string, string>, annotations: Record<string, string>) =>
    lab.kubectl(['replace', '--force', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'networking.istio.io/v1',
        kind: 'WorkloadEntry',
        metadata: { name: ENTRY, namespace: NAMESPACE, annotations },
        spec: { address: ADDRESS, labels },
      }),
    });

  it('tells how it sees a machine, from its entry alone', async () => {
    const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
    const membership = async (
      annotations: Record<string, string>,
      condition?: object,
    ): Promise<[string | undefined, string | undefined]> => {
      await makeEntry({ app: 'mysql' }, { 'istio.io/autoRegistrationGroup': 'mysql', ...annotations });
      if (condition !== undefined)
        await kubectl(
          '-n',
          NAMESPACE,
          'patch',
          'workloadentry',
          ENTRY,
          '--subresource=status',
          '--type=merge',
          '-p',
          JSON.stringify({ status: { conditions: [condition] } }),
        );
      const groups = await mesh().workloadGroups('prod');
      const [one] = groups?.find(({ ref }) => ref.namespace === NAMESPACE)?.entries ?? [];
      assert.equal(one?.vm, 'db-1');
      return [one.membership, one.reason];
    };
    const probed = { 'istio.io/connectedAt': ago(1), 'proxy.istio.io/health-checks-enabled': 'true' };
    assert.deepEqual(await membership({ 'istio.io/connectedAt': ago(1) }), ['connected', undefined]);
    assert.deepEqual(await membership({ 'istio.io/connectedAt': ago(44) }), ['connected', undefined]);
    assert.deepEqual(await membership({ 'istio.io/connectedAt': ago(46) }), ['stale', undefined]);
    assert.deepEqual(await membership(probed, { type: 'Healthy', status: 'True' }), ['healthy', undefined]);
    assert.deepEqual(await membership(probed, { type: 'Healthy', status: 'False', message: 'status code 503' }), [
      'unhealthy',
      'status code 503',
    ]);
    // In a minute: istiod itself deletes such an entry 2 s after its time.
    assert.deepEqual(await membership({ 'istio.io/disconnectedAt': ago(-1) }), ['disconnected', undefined]);
  });

  it('registers services whose selectors take the machines, and takes back only what is its own', async () => {
    await makeEntry({ app: 'mysql' }, {});
    const core = mesh();
    assert.equal(await run(core.planRegister('mysql')), true);
    assert.equal(await run(core.planRegister('reports')), true);
    const service = (await lab.kubectlJson(['-n', NAMESPACE, 'get', 'service', 'mysql'])) as { spec: { selector: unknown } };
    assert.deepEqual(service.spec.selector, { app: 'mysql' });
    const reports = (await lab.kubectlJson(['-n', NAMESPACE, 'get', 'serviceentry', 'reports'])) as { spec: unknown };
    assert.deepEqual(reports.spec, {
      hosts: ['reports.corp.example'],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ name: 'http', number: 80, protocol: 'HTTP', targetPort: 8080 }],
      workloadSelector: { labels: { app: 'mysql' } },
    });
    const own = (await core.services('prod')).filter(({ ref }) => ref.namespace === NAMESPACE);
    assert.deepEqual(
      own.map(({ ref, endpoints }) => [ref.kind, ref.name, endpoints]),
      [
        ['Service', 'mysql', [{ address: ADDRESS, ports: [3306], vm: 'db-1' }]],
        ['ServiceEntry', 'reports', [{ address: ADDRESS, ports: [8080], vm: 'db-1' }]],
      ],
    );
    assert.equal(await run(core.planRegister('mysql')), false);
    assert.equal(await run(core.planDeregister('mysql')), true);
    assert.match((await kubectl('-n', NAMESPACE, 'get', 'service', '--ignore-not-found')).stdout, /^$/);
    await kubectl('-n', NAMESPACE, 'create', 'service', 'clusterip', 'mysql', '--tcp=3306');
    assert.equal((await failure(core.planDeregister('mysql'))).code, 'istiod.deregister.others');
  });

  it('says which entries a selector does not take', async () => {
    await kubectl('-n', NAMESPACE, 'delete', 'service', 'mysql', '--ignore-not-found');
    await makeEntry({ app: 'other' }, {});
    const { error } = await runPlan(await mesh().planRegister('mysql'));
    assert.equal(error?.code, 'istiod.register.not-selected');
  });
});
