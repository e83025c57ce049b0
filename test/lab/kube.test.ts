// src/kube against the real API server; kubectl is the witness.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { cacheDirectory } from '../../scripts/node24.mjs';
import { createClusterApi, createSnapshotApi, listContexts, loadKubeconfig } from '../../src/kube/index.ts';
import type { ClusterApi, KubeObject, ListEnd, ObjectRef, WatchEvent } from '../../src/mesh/ports.ts';
import { API_PORT } from './addresses.ts';
import { members } from './cgroups.ts';
import type { Lab } from './env.ts';
import { labEnv } from './env.ts';
import { processGroup } from './processes.ts';
import { cableTo, type Cable } from './support/cable.ts';
import { describeTree } from './kubeTree.ts';
import { eventually } from './support/eventually.ts';
import { failure } from './support/failure.ts';
import { run } from './toolchain/run.ts';
import { up } from './up.ts';

const NAMESPACE = `kube-test-${process.pid}`;

/** The internal balancer of the guide, cut down: what `cluster setup` applies. */
function balancer(name: string, ports: readonly unknown[] = [{ name: 'http', port: 8080, protocol: 'TCP' }]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: NAMESPACE, labels: { app: 'test' }, annotations: { 'lab.mesh-expansion/pending': 'true' } },
    spec: { type: 'LoadBalancer', selector: { istio: 'pilot' }, ports },
  };
}

/** What kubectl prints of the objects used here. */
interface LiveObject {
  metadata: { resourceVersion: string; annotations?: Record<string, string>; managedFields: { manager: string; operation: string }[] };
  spec: { clusterIP: string; ports: { port: number; nodePort: number }[] };
  data: Record<string, string>;
}

function ref(kind: string, name: string, apiVersion = 'v1'): ObjectRef {
  return { apiVersion, kind, namespace: NAMESPACE, name };
}

describe('kube on the lab', function () {
  this.timeout(60_000);
  let lab: Lab;
  let folder: string;
  const opened: ClusterApi[] = [];
  const cables: Cable[] = [];

  async function api(context: string, kubeconfig = lab.kubeconfig, env: Record<string, string> = {}): Promise<ClusterApi> {
    const cluster = createClusterApi({
      kubeconfig: await loadKubeconfig({ paths: [kubeconfig] }),
      context,
      env,
      reconnect: { firstMs: 50, longestMs: 500 },
    });
    opened.push(cluster);
    return cluster;
  }

  /** The lab's kubeconfig with its first cluster and first user changed. */
  async function altered(cluster: Record<string, unknown>, user?: Record<string, unknown>): Promise<string> {
    const { stdout } = await run(['cat', lab.kubeconfig]);
    const config = parse(stdout);
    Object.assign(config.clusters[0].cluster, cluster);
    if (user) config.users[0].user = user;
    const file = path.join(folder, `kubeconfig-${Math.random()}`);
    await writeFile(file, stringify(config), { mode: 0o600 });
    return file;
  }

  async function newCable(): Promise<{ cable: Cable; cluster: Record<string, unknown> }> {
    const cable = await cableTo(lab.addresses.apiServer, API_PORT);
    cables.push(cable);
    return { cable, cluster: { server: `https://127.0.0.1:${cable.port}`, 'tls-server-name': 'kubernetes.default.svc' } };
  }

  async function throughCable(): Promise<{ cable: Cable; cluster: ClusterApi }> {
    const { cable, cluster } = await newCable();
    return { cable, cluster: await api('lab', await altered(cluster)) };
  }

  async function killed(meanwhile: () => Promise<void>): Promise<void> {
    try {
      for (const pid of await members(lab.name, processGroup('kube-apiserver'))) process.kill(pid, 'SIGKILL');
      await meanwhile();
    } finally {
      await up(lab.name, lab.machines.length, { cacheDirectory, report: () => undefined });
    }
  }

  async function live(kind: string, name: string): Promise<LiveObject> {
    return (await lab.kubectlJson(['-n', NAMESPACE, 'get', kind, name, '--show-managed-fields'])) as LiveObject;
  }

  before(async () => {
    lab = await labEnv();
    folder = await mkdtemp(path.join(tmpdir(), 'kube-test-'));
    await lab.kubectl(['create', 'namespace', NAMESPACE]);
    await lab.kubectl(['-n', NAMESPACE, 'create', 'serviceaccount', 'robot']);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((cluster) => cluster.close()));
    await Promise.all(cables.splice(0).map((cable) => cable.close()));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await lab.kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
  });

  it('lists the contexts kubectl lists', async () => {
    const { stdout } = await lab.kubectl(['config', 'get-contexts', '-o', 'name']);
    const contexts = listContexts(await loadKubeconfig({ paths: [lab.kubeconfig] }));
    assert.deepEqual(contexts.map(({ name }) => name).sort(), stdout.trim().split('\n').sort());
    assert.equal(contexts.find(({ current }) => current)?.name, (await lab.kubectl(['config', 'current-context'])).stdout.trim());
  });

  it('reads as kubectl does: version, get, list with selectors, kinds found by discovery', async () => {
    const cluster = await api('lab');
    const version = (await lab.kubectlJson(['version'])) as { serverVersion: { gitVersion: string } };
    assert.equal(await cluster.version(), version.serverVersion.gitVersion);
    const dns = (await lab.kubectlJson(['-n', 'kube-system', 'get', 'service', 'kube-dns'])) as KubeObject;
    assert.deepEqual(await cluster.get({ apiVersion: 'v1', kind: 'Service', namespace: 'kube-system', name: 'kube-dns' }), dns);
    assert.equal(await cluster.get(ref('Service', 'none')), undefined);
    assert.equal(await cluster.get(ref('Gateway', 'none', 'networking.istio.io/v1')), undefined);
    const listed = await cluster.list({ apiVersion: 'v1', kind: 'Service' });
    const seen = (
      await lab.kubectl(['get', 'services', '-A', '-o', 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}'])
    ).stdout
      .trim()
      .split(' ');
    assert.deepEqual(listed.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort(), seen.sort());
    assert.ok(listed.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Service'));
    assert.deepEqual(await cluster.list({ apiVersion: 'networking.istio.io/v1', kind: 'Gateway' }), []);
    const one = await cluster.list({
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'kube-system',
      fieldSelector: 'metadata.name=kube-dns',
    });
    assert.deepEqual(
      one.map(({ metadata }) => metadata.name),
      ['kube-dns'],
    );
    const roles = await cluster.list({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      labelSelector: 'kubernetes.io/bootstrapping=rbac-defaults',
    });
    assert.ok(roles.some(({ metadata }) => metadata.name === 'view'));
  });

  it('applies with its own field manager, and a second time changes nothing', async () => {
    const cluster = await api('lab');
    const preview = await cluster.apply(balancer('ilb'), { dryRun: true });
    assert.equal(preview.changed, true);
    assert.notEqual((await lab.kubectl(['-n', NAMESPACE, 'get', 'service', 'ilb'], { tolerant: true })).code, 0);
    assert.equal((await cluster.apply(balancer('ilb'))).changed, true);
    const first = await live('service', 'ilb');
    assert.deepEqual(
      first.metadata.managedFields.filter((entry) => entry.manager === 'mesh-expansion').map((entry) => entry.operation),
      ['Apply'],
    );
    assert.equal((await cluster.apply(balancer('ilb'))).changed, false);
    assert.equal((await cluster.apply(balancer('ilb'), { dryRun: true })).changed, false);
    assert.equal((await live('service', 'ilb')).metadata.resourceVersion, first.metadata.resourceVersion);
    const wider = balancer('ilb', [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'grpc', port: 15010, protocol: 'TCP' },
    ]);
    assert.equal((await cluster.apply(wider, { dryRun: true })).changed, true);
    assert.equal((await live('service', 'ilb')).spec.ports.length, 1);
    assert.equal((await cluster.apply(wider)).changed, true);
    assert.deepEqual(
      (await live('service', 'ilb')).spec.ports.map((port) => port.port),
      [8080, 15010],
    );
  });

  it('shows a conflict with another owner and forces nothing', async () => {
    const cluster = await api('lab');
    await lab.kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], { input: JSON.stringify(balancer('owned')) });
    const before = await live('service', 'owned');
    const wanted = balancer('owned', [{ name: 'http', port: 8080, protocol: 'TCP', targetPort: 9090 }]);
    const changed = { ...wanted, spec: { ...(wanted.spec as object), selector: { istio: 'mixer' } } };
    const error = await failure(cluster.apply(changed));
    assert.equal(error.code, 'kube.conflict');
    assert.equal(error.kind, 'person');
    assert.equal(error.userMessage.args.owners, 'other');
    assert.match(String(error.userMessage.args.fields), /\.spec\.selector/);
    assert.deepEqual(await live('service', 'owned'), before);
  });

  it('on an API server without server-side apply creates, then changes only what differs', async () => {
    const cluster = await api('lab-old');
    assert.equal((await cluster.apply(balancer('old'), { dryRun: true })).changed, true);
    assert.notEqual((await lab.kubectl(['-n', NAMESPACE, 'get', 'service', 'old'], { tolerant: true })).code, 0);
    assert.equal((await cluster.apply(balancer('old'))).changed, true);
    await lab.kubectl(['-n', NAMESPACE, 'annotate', 'service', 'old', 'somebody=else']);
    const first = await live('service', 'old');
    assert.equal((await cluster.apply(balancer('old'))).changed, false);
    assert.equal((await live('service', 'old')).metadata.resourceVersion, first.metadata.resourceVersion);
    const wider = balancer('old', [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'grpc', port: 15010, protocol: 'TCP' },
    ]);
    assert.equal((await cluster.apply(wider, { dryRun: true })).changed, true);
    assert.equal((await cluster.apply(wider)).changed, true);
    const second = await live('service', 'old');
    assert.equal(second.metadata.annotations?.somebody, 'else');
    assert.equal(second.spec.clusterIP, first.spec.clusterIP);
    assert.equal(second.spec.ports[0]?.nodePort, first.spec.ports[0]?.nodePort);
    assert.deepEqual(
      second.spec.ports.map((port) => port.port),
      [8080, 15010],
    );
  });

  it('creates, replaces under the lock, deletes only the object that is meant', async () => {
    const cluster = await api('lab');
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map', namespace: NAMESPACE }, data: { a: '1' } };
    const { object } = await cluster.create(map);
    assert.equal((await live('configmap', 'map')).data.a, '1');
    const again = await failure(cluster.create(map));
    assert.equal(again.code, 'kube.conflict');
    assert.equal(again.userMessage.id, 'kube.conflict.exists');
    assert.equal((await cluster.replace(object)).changed, false);
    const second = await cluster.replace({ ...object, data: { a: '2' } });
    assert.equal(second.changed, true);
    const stale = await failure(cluster.replace({ ...object, data: { a: '3' } }));
    assert.deepEqual([stale.code, stale.userMessage.id, stale.kind], ['kube.conflict', 'kube.conflict.newer', 'person']);
    assert.equal((await live('configmap', 'map')).data.a, '2');
    assert.equal((await failure(cluster.replace(map))).code, 'kube.invalid');
    await cluster.delete(ref('ConfigMap', 'map'), { uid: 'e5c7d2e0-0000-4000-8000-000000000000' });
    await live('configmap', 'map');
    await cluster.delete(ref('ConfigMap', 'map'), { uid: object.metadata.uid });
    assert.notEqual((await lab.kubectl(['-n', NAMESPACE, 'get', 'configmap', 'map'], { tolerant: true })).code, 0);
    await cluster.delete(ref('ConfigMap', 'map'));
  });

  it('names the fields of what the API server refuses, and leaves nothing behind', async () => {
    const cluster = await api('lab');
    const bad = await failure(cluster.create(balancer('bad', [{ name: 'http', port: 80_000, protocol: 'TCP' }])));
    assert.equal(bad.code, 'kube.invalid');
    assert.equal(bad.field, 'spec.ports[0].port');
    const typo = await failure(cluster.create({ ...balancer('bad'), spec: { typ: 'LoadBalancer', ports: [{ port: 80 }] } }));
    assert.equal(typo.code, 'kube.invalid');
    assert.match(String(typo.userMessage.args.text), /spec\.typ/);
    const nowhere = await failure(cluster.create({ ...balancer('bad'), metadata: { name: 'bad', namespace: 'nowhere' } }));
    assert.equal(nowhere.code, 'kube.not-found');
    assert.equal((await failure(cluster.get({ apiVersion: 'v1', kind: 'Service', namespace: '..', name: 'x' }))).code, 'kube.invalid');
    assert.equal((await failure(cluster.get({ apiVersion: 'v1', kind: 'Service', name: 'x' }))).field, 'metadata.namespace');
    assert.notEqual((await lab.kubectl(['-n', NAMESPACE, 'get', 'service', 'bad'], { tolerant: true })).code, 0);
  });

  it('says what an account may not do', async () => {
    const viewer = await api('lab-viewer');
    const denied = await failure(viewer.apply(balancer('forbidden')));
    assert.equal(denied.code, 'kube.forbidden');
    assert.deepEqual(
      [denied.userMessage.args.verb, denied.userMessage.args.resource, denied.userMessage.args.namespace],
      ['patch', 'services', NAMESPACE],
    );
    const questions = ['create', 'list', 'delete'].flatMap((verb) =>
      ['services', 'endpoints', 'secrets', 'services/status'].map((resource) => ({ verb, group: '', resource, namespace: NAMESPACE })),
    );
    const answers = await viewer.can(questions);
    for (const [index, { verb, resource }] of questions.entries()) {
      const { code } = await lab.kubectl(
        [
          '--context',
          'lab-viewer',
          '-n',
          NAMESPACE,
          'auth',
          'can-i',
          verb,
          ...(resource.includes('/') ? [resource.split('/')[0] ?? '', `--subresource=${resource.split('/')[1]}`] : [resource]),
        ],
        { tolerant: true },
      );
      assert.equal(answers[index]?.allowed, code === 0, `${verb} ${resource}`);
    }
    assert.ok(answers.some(({ allowed }) => allowed) && answers.some(({ allowed }) => !allowed));
    assert.equal(
      (
        await failure(
          viewer.watch({ apiVersion: 'v1', kind: 'Secret', namespace: NAMESPACE }, () => undefined, {
            signal: AbortSignal.timeout(10_000),
          }),
        )
      ).code,
      'kube.forbidden',
    );
    assert.equal((await failure(viewer.serviceCidrs())).code, 'kube.service-cidr-unknown');
  });

  it('finds the service CIDR, by ServiceCIDR objects and by the words of an older API server', async () => {
    assert.deepEqual(await (await api('lab')).serviceCidrs(), { cidrs: [lab.serviceCidr], source: 'ServiceCIDR' });
    assert.deepEqual(await (await api('lab-old')).serviceCidrs(), { cidrs: [lab.serviceCidr], source: 'dry-run' });
    assert.equal((await lab.kubectl(['get', 'services', '-A', '-o', 'name'])).stdout.includes('cidr-probe'), false);
    const extra = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'second' },
      spec: { cidrs: ['10.97.0.0/24'] },
    };
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(extra) });
    try {
      assert.deepEqual([...(await (await api('lab')).serviceCidrs()).cidrs].sort(), [lab.serviceCidr, '10.97.0.0/24'].sort());
    } finally {
      await lab.kubectl(['delete', 'servicecidr', 'second']);
    }
  });

  it('reads the dump that kubectl prints as it reads the cluster', async () => {
    const cluster = await api('lab');
    const list = await lab.kubectl(['get', 'services,endpoints,servicecidrs', '-A', '-o', 'yaml']);
    const nodes = await lab.kubectl(['get', 'node', 'lab', '-o', 'yaml']);
    const snapshot = createSnapshotApi(`${list.stdout}---\n${nodes.stdout}`, 'dump');
    const query = { apiVersion: 'v1', kind: 'Service', namespace: 'istio-system' };
    assert.deepEqual(await snapshot.list(query), await cluster.list(query));
    assert.deepEqual(
      (await snapshot.get({ apiVersion: 'v1', kind: 'Node', name: 'lab' }))?.spec,
      (await cluster.get({ apiVersion: 'v1', kind: 'Node', name: 'lab' }))?.spec,
    );
    assert.deepEqual(await snapshot.serviceCidrs(), { cidrs: [lab.serviceCidr], source: 'snapshot' });
    assert.equal((await failure(snapshot.apply(balancer('x')))).code, 'kube.snapshot');
  });

  describe('watch', () => {
    interface Watching {
      events: string[];
      until(wanted: string): Promise<void>;
      stop(): Promise<void>;
    }

    function watching(cluster: ClusterApi, name: string): Watching {
      const stop = new AbortController();
      const events: string[] = [];
      const ended = cluster.watch(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, labelSelector: `of=${name}` },
        ({ type, object }: WatchEvent) => events.push(`${type} ${object.metadata.name}`),
        { signal: stop.signal },
      );
      return {
        events,
        until: async (wanted) => {
          const deadline = Date.now() + 15_000;
          while (!events.includes(wanted)) {
            assert.ok(Date.now() < deadline, `no ${wanted} in ${events.join(', ')}`);
            await Promise.race([sleep(20), ended.then(() => assert.fail('the watch ended'))]);
          }
        },
        stop: async () => {
          stop.abort();
          await ended;
        },
      };
    }

    const map = (name: string, of: string, value = '1') =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE, labels: { of } }, data: { value } });
    const put = (name: string, of: string, value?: string) => lab.kubectl(['apply', '-f', '-'], { input: map(name, of, value) });
    const remove = (name: string) => lab.kubectl(['-n', NAMESPACE, 'delete', 'configmap', name]);

    it('reports what is there, then each change, and ends with its signal', async () => {
      await put('a', 'plain');
      const watch = watching(await api('lab'), 'plain');
      await watch.until('ADDED a');
      await put('b', 'plain');
      await watch.until('ADDED b');
      await put('b', 'plain', '2');
      await watch.until('MODIFIED b');
      await remove('a');
      await watch.until('DELETED a');
      await watch.stop();
      assert.deepEqual(watch.events, ['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a']);
    });

    it('lists again after 410, where etcd has forgotten what happened in a gap, and reports what went', async () => {
      const event = (name: string) =>
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name, namespace: NAMESPACE },
          involvedObject: { apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE, name: 'x' },
        });
      const putEvent = async (name: string) => {
        const { stdout } = await lab.kubectl(['create', '-o', 'json', '-f', '-'], { input: event(name) });
        return (JSON.parse(stdout) as LiveObject).metadata.resourceVersion;
      };
      await putEvent('a');
      const { cable, cluster } = await throughCable();
      const stop = new AbortController();
      const events: string[] = [];
      let lists = 0;
      // Events are the one kind that the API server does not keep a history of itself: it asks etcd.
      const query = { apiVersion: 'v1', kind: 'Event', namespace: NAMESPACE, fieldSelector: 'involvedObject.name=x' };
      const ended = cluster.watch(query, ({ type, object }) => events.push(`${type} ${object.metadata.name}`), {
        signal: stop.signal,
        onListed: () => (lists += 1),
      });
      const version = await putEvent('b');
      const until = (wanted: string) => eventually(wanted, async () => events.includes(wanted));
      await until('ADDED b');
      await cable.cut();
      await lab.kubectl(['-n', NAMESPACE, 'delete', 'event', 'a']);
      const revision = await putEvent('c');
      await lab.inCluster(['curl', '-sf', 'http://127.0.0.1:2379/v3/kv/compaction', '-d', JSON.stringify({ revision })]);
      const path = `/api/v1/namespaces/${NAMESPACE}/events?watch=true&timeoutSeconds=2&resourceVersion=${version}`;
      const answer = await lab.kubectl(['get', '--raw', path], { tolerant: true });
      assert.match(`${answer.stdout}${answer.stderr}`, /"code":410|too old/, 'the API server itself says 410');
      await cable.plug();
      await Promise.race([until('ADDED c'), ended.then(() => assert.fail('the watch ended'))]);
      assert.deepEqual(events, ['ADDED a', 'ADDED b', 'DELETED a', 'ADDED c']);
      assert.equal(lists, 2);
      await putEvent('d');
      await until('ADDED d');
      stop.abort();
      await ended;
    });

    it('goes on from where a list ended, and lists nothing itself', async () => {
      const cluster = await api('lab');
      const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, labelSelector: 'of=from' };
      await put('a', 'from');
      await put('b', 'from');
      const ends: ListEnd[] = [];
      assert.equal((await cluster.list(query, { onEnd: (end) => ends.push(end) })).length, 2);
      await remove('a');
      await put('c', 'from');
      const stop = new AbortController();
      const events: string[] = [];
      const last = Promise.withResolvers<undefined>();
      const ended = cluster.watch(
        query,
        ({ type, object }) => {
          events.push(`${type} ${object.metadata.name}`);
          if (object.metadata.name === 'c') last.resolve(undefined);
        },
        { signal: stop.signal, from: ends[0], onListed: () => assert.fail('listed') },
      );
      await Promise.race([last.promise, ended.then(() => assert.fail('the watch ended'))]);
      assert.deepEqual(events, ['DELETED a', 'ADDED c']);
      stop.abort();
      await ended;
    });

    it('goes on after a lost connection without repeating itself', async () => {
      const { cable, cluster } = await throughCable();
      await put('a', 'cable');
      await put('b', 'cable');
      const watch = watching(cluster, 'cable');
      await watch.until('ADDED b');
      await cable.cut();
      await remove('a');
      await put('c', 'cable');
      await sleep(300);
      await cable.plug();
      await watch.until('DELETED a');
      await watch.until('ADDED c');
      await watch.stop();
      assert.deepEqual([...watch.events].sort(), ['ADDED a', 'ADDED b', 'ADDED c', 'DELETED a']);
    });

    it('goes on after the API server was killed, and reports what vanished meanwhile', async () => {
      const { cable, cluster } = await throughCable();
      await put('a', 'kill');
      await put('b', 'kill');
      const watch = watching(cluster, 'kill');
      await watch.until('ADDED b');
      // Cut first: the changes of the gap must be seen from the new server's history, which does not reach back.
      await cable.cut();
      await remove('a');
      await put('c', 'kill');
      await killed(() => sleep(200));
      await cable.plug();
      await watch.until('DELETED a');
      await watch.until('ADDED c');
      await put('d', 'kill');
      await watch.until('ADDED d');
      await watch.stop();
      assert.deepEqual([...watch.events].sort(), ['ADDED a', 'ADDED b', 'ADDED c', 'ADDED d', 'DELETED a']);
    });
  });

  describe('the tree', () =>
    describeTree({ lab: () => lab, namespace: NAMESPACE, file: (name) => path.join(folder, name), altered, cable: newCable, killed }));

  describe('a cluster that does not answer', () => {
    const dns: ObjectRef = { apiVersion: 'v1', kind: 'Service', namespace: 'kube-system', name: 'kube-dns' };

    it('is named with host and port when it is stopped', async () => {
      const { cable, cluster } = await throughCable();
      await cable.cut();
      const error = await failure(cluster.get(dns));
      assert.deepEqual(
        [error.code, error.userMessage.args.server, error.userMessage.args.reason],
        ['kube.unreachable', `127.0.0.1:${cable.port}`, 'ECONNREFUSED'],
      );
      assert.ok(error.nextStep);
      await cable.plug();
      assert.ok(await cluster.get(dns));
    });

    it('meets the time limit when packets are dropped', async () => {
      const table = `kube_test_${process.pid}`;
      await lab.inCluster(['nft', '-f', '-'], {
        input: `table inet ${table} {\n chain way {\n type filter hook input priority raw; policy accept;\n tcp dport 6449 counter drop\n }\n}\n`,
      });
      try {
        const cluster = await api('lab', await altered({ server: `https://${lab.addresses.apiServer}:6449` }));
        const started = Date.now();
        const error = await failure(cluster.list({ apiVersion: 'v1', kind: 'Service' }, { timeoutMs: 1500 }));
        assert.equal(error.code, 'kube.timeout');
        assert.equal(error.userMessage.args.server, `${lab.addresses.apiServer}:6449`);
        assert.ok(Date.now() - started < 3000);
      } finally {
        await lab.inCluster(['nft', 'delete', 'table', 'inet', table]);
      }
    });

    it('meets the time limit, or the cancel, in the middle of a connection', async () => {
      const { cable, cluster } = await throughCable();
      assert.ok(await cluster.get(dns));
      cable.hold();
      assert.equal((await failure(cluster.get(dns, { timeoutMs: 500 }))).code, 'kube.timeout');
      const started = Date.now();
      const error = await failure(cluster.get(dns, { signal: AbortSignal.timeout(300) }));
      assert.deepEqual([error.code, error.kind], ['cancelled', 'cancelled']);
      assert.ok(Date.now() - started < 1500);
      const closing = failure(cluster.get(dns));
      await sleep(50);
      await cluster.close();
      assert.equal((await closing).code, 'cancelled');
    });

    it('is not trusted under another authority or another name', async () => {
      const key = path.join(folder, 'ca.key');
      const other = path.join(folder, 'ca.crt');
      await run([
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=other',
        '-keyout',
        key,
        '-out',
        other,
      ]);
      const untrusted = await api(
        'lab',
        await altered({ 'certificate-authority-data': undefined, 'certificate-authority': path.basename(other) }),
      );
      const error = await failure(untrusted.get(dns));
      assert.deepEqual([error.code, error.userMessage.id], ['kube.unreachable', 'kube.tls.untrusted']);
      const renamed = await api('lab', await altered({ 'tls-server-name': 'elsewhere.example' }));
      assert.equal((await failure(renamed.get(dns))).userMessage.id, 'kube.tls.name');
      const system = await api('lab', await altered({ 'certificate-authority-data': undefined }));
      assert.equal((await failure(system.get(dns))).userMessage.id, 'kube.tls.untrusted');
      const plain = await api('lab', await altered({ server: lab.apiServer.replace('https:', 'http:') }));
      assert.equal((await failure(plain.version())).userMessage.id, 'kube.not-kubernetes');
    });

    it('is reached through the proxy that HTTPS_PROXY names, unless NO_PROXY holds its range', async () => {
      const tunnels: string[] = [];
      const proxy = http.createServer().on('connect', (request, near: net.Socket) => {
        tunnels.push(request.url ?? '');
        const far = net.connect(API_PORT, lab.addresses.apiServer, () => near.write('HTTP/1.1 200 OK\r\n\r\n'));
        near.pipe(far).pipe(near);
        near.on('error', () => far.destroy());
        far.on('error', () => near.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const at = proxy.address();
      assert.ok(at !== null && typeof at === 'object');
      const env = { HTTPS_PROXY: `http://127.0.0.1:${at.port}` };
      const proxied = await api('lab', lab.kubeconfig, env);
      assert.equal((await proxied.get(dns))?.metadata.name, 'kube-dns');
      assert.deepEqual(tunnels, [`${lab.addresses.apiServer}:${API_PORT}`]);
      const direct = await api('lab', lab.kubeconfig, { ...env, NO_PROXY: lab.addresses.subnet });
      assert.equal((await direct.get(dns))?.metadata.name, 'kube-dns');
      assert.equal(tunnels.length, 1);
      await proxied.close();
      proxy.closeAllConnections();
      await new Promise<void>((resolve) => proxy.close(() => resolve()));
      assert.equal((await failure((await api('lab', lab.kubeconfig, env)).get(dns))).userMessage.id, 'kube.unreachable.proxy');
    });

    it('keeps one connection for many calls', async () => {
      const { cable, cluster } = await throughCable();
      for (let call = 0; call < 10; call += 1) await cluster.get(dns);
      assert.equal(cable.connections(), 1);
    });
  });

  describe('credentials', () => {
    async function token(): Promise<string> {
      return (await lab.kubectl(['-n', NAMESPACE, 'create', 'token', 'robot', '--duration=10m'])).stdout.trim();
    }

    it('that are not accepted need a person', async () => {
      const cluster = await api('lab', await altered({}, { token: 'wrong' }));
      const error = await failure(cluster.list({ apiVersion: 'v1', kind: 'Service' }));
      assert.deepEqual([error.code, error.kind], ['kube.unauthorized', 'person']);
      assert.equal(
        (await failure(cluster.watch({ apiVersion: 'v1', kind: 'Service' }, () => undefined, { signal: AbortSignal.timeout(10_000) })))
          .code,
        'kube.unauthorized',
      );
    });

    it('come from a token file, and from a program that runs once and again only after a refusal', async () => {
      const file = path.join(folder, 'token');
      await writeFile(file, `${await token()}\n`);
      const allowed = [{ verb: 'create', group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews' }];
      assert.equal((await (await api('lab', await altered({}, { tokenFile: 'token' }))).can(allowed))[0]?.allowed, true);

      const program = path.join(folder, 'login.sh');
      const runs = path.join(folder, 'runs');
      await writeFile(
        program,
        '#!/bin/sh\necho run >>"$1"\nprintf \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}\' "$(cat "$2")"\n',
        { mode: 0o755 },
      );
      const cluster = await api(
        'lab',
        await altered({}, { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './login.sh', args: [runs, file] } }),
      );
      const count = async () => (await run(['sh', '-c', 'cat "$1" 2>/dev/null | wc -l', 'sh', runs])).stdout.trim();
      assert.equal(await count(), '0');
      await cluster.can(Array.from({ length: 20 }, () => allowed[0]!));
      assert.equal(await count(), '1');
      assert.equal((await failure(cluster.list({ apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE }))).code, 'kube.forbidden');
      assert.equal(await count(), '1');
    });
  });

  describe('a token for a service account', () => {
    const robot = { namespace: NAMESPACE, name: 'robot' };

    /** What the API server itself says of a token. */
    async function review(
      token: string,
      audience: string,
    ): Promise<{ authenticated?: boolean; user?: { username?: string }; audiences?: string[] }> {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } };
      const { stdout } = await lab.kubectl(['create', '--raw', '/apis/authentication.k8s.io/v1/tokenreviews', '-f', '-'], {
        input: JSON.stringify(body),
      });
      return (JSON.parse(stdout) as { status: { authenticated?: boolean; user?: { username?: string }; audiences?: string[] } }).status;
    }

    it('is good for the audience that was asked for, as long as was asked for, and for no other', async () => {
      const asked = Date.now();
      const { token, expiresAt } = await (await api('lab')).createToken(robot, { audiences: ['istio-ca'], expirationSeconds: 1800 });
      const life = (Date.parse(expiresAt) - asked) / 1000;
      assert.ok(life > 1790 && life < 1815, `${life} s`);
      const text = Buffer.from(token.reveal()).toString('utf8');
      const good = await review(text, 'istio-ca');
      assert.deepEqual(
        [good.authenticated, good.user?.username, good.audiences],
        [true, `system:serviceaccount:${NAMESPACE}:robot`, ['istio-ca']],
      );
      assert.notEqual((await review(text, 'elsewhere')).authenticated, true);
      const claims = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8')) as { aud: string[]; exp: number };
      assert.deepEqual([claims.aud, claims.exp], [['istio-ca'], Date.parse(expiresAt) / 1000]);
    });

    it('of an account that is not there is refused by name, as it is to who may not ask', async () => {
      const missing = await failure(
        (await api('lab')).createToken({ ...robot, name: 'nobody' }, { audiences: ['istio-ca'], expirationSeconds: 600 }),
      );
      assert.deepEqual([missing.code, missing.userMessage.args.name], ['kube.not-found', 'nobody']);
      const denied = await failure((await api('lab-viewer')).createToken(robot, { audiences: ['istio-ca'], expirationSeconds: 600 }));
      assert.deepEqual(
        [denied.code, denied.userMessage.args.verb, denied.userMessage.args.resource, denied.userMessage.args.namespace],
        ['kube.forbidden', 'create', 'serviceaccounts/token', NAMESPACE],
      );
    });
  });
});
