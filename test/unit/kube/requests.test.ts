import assert from 'node:assert/strict';
import http from 'node:http';
import type { KubeObject, ObjectRef } from '../../../src/mesh/ports.ts';
import { failure, kubeconfigFile, serve, status, type Reply, type TestServer } from './server.ts';
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';

const POD: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p' };
const MAP: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'n' } };
const PODS = { apiVersion: 'v1', kind: 'Pod' };

describe('requests to an API server', () => {
  let server: TestServer;

  afterEach(async () => {
    await server.close();
  });

  const answering = async (...replies: readonly Reply[]) => {
    server = await serve((_, count) => replies[Math.min(count, replies.length) - 1] ?? {});
    return server.api();
  };

  it('map each refusal to its code', async () => {
    const cases: readonly (readonly [Reply, string, string])[] = [
      [status(401, 'Unauthorized', 'Unauthorized'), 'kube.unauthorized', 'person'],
      [status(403, 'Forbidden', 'pods "p" is forbidden'), 'kube.forbidden', 'failed'],
      [status(409, 'Conflict', 'the object has been modified'), 'kube.conflict', 'person'],
      [status(409, 'AlreadyExists', 'exists'), 'kube.conflict', 'person'],
      [status(422, 'Invalid', 'x is invalid'), 'kube.invalid', 'failed'],
      [status(400, 'BadRequest', 'strict decoding error: unknown field "spec.typ"'), 'kube.invalid', 'failed'],
      [status(404, 'NotFound', 'namespaces "n" not found'), 'kube.not-found', 'failed'],
      [status(500, 'InternalError', 'etcd'), 'kube.server', 'failed'],
      [{ status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' }, 'kube.unreachable', 'failed'],
      [{ status: 404, body: '<html>nginx</html>' }, 'kube.unreachable', 'failed'],
      [{ status: 302, headers: { location: '/login' }, body: '' }, 'kube.unreachable', 'failed'],
      [{ body: '<html>Log in</html>' }, 'kube.unreachable', 'failed'],
      [{ body: { hello: 'world' } }, 'kube.unreachable', 'failed'],
    ];
    for (const [reply, code, kind] of cases) {
      const api = await answering(reply);
      const error = await failure(api.create(MAP));
      assert.deepEqual([error.code, error.kind], [code, kind], JSON.stringify(reply));
      assert.ok(error.nextStep);
      await server.close();
    }
    await answering({});
  });

  it('name owners and fields of an apply conflict', async () => {
    const causes = [
      { reason: 'FieldManagerConflict', message: 'conflict with "helm" using v1', field: '.spec.ports' },
      { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-edit" using v1 at 2020-01-01T00:00:00Z', field: '.spec.selector' },
    ];
    server = await serve(({ method }) =>
      method === 'GET' ? status(404, 'NotFound', 'no') : status(409, 'Conflict', 'Apply failed with 2 conflicts', causes),
    );
    const error = await failure((await server.api()).apply(MAP));
    assert.equal(error.userMessage.args.owners, 'helm, kubectl-edit');
    assert.equal(error.userMessage.args.fields, '.spec.ports, .spec.selector');
    const patch = server.asked.find(({ method }) => method === 'PATCH');
    assert.equal(patch?.path, '/api/v1/namespaces/n/configmaps/m?fieldManager=mesh-expansion');
    assert.equal(patch.headers['content-type'], 'application/apply-patch+yaml');
  });

  it('without server-side apply change what differs under the lock of what was read, and read again after a conflict', async () => {
    const object = (resourceVersion: string, a: string) => ({
      body: { ...MAP, metadata: { ...MAP.metadata, resourceVersion }, data: { a, theirs: 'x' } },
    });
    let version = 5;
    server = await serve(({ method, headers, body }) => {
      if (method === 'GET') return object(String(version), '1');
      if (headers['content-type'] === 'application/apply-patch+yaml') return status(415, 'UnsupportedMediaType', 'no');
      const sent = JSON.parse(body) as { metadata: { resourceVersion: string } };
      if (sent.metadata.resourceVersion === '5') {
        version = 6;
        return status(409, 'Conflict', 'the object has been modified');
      }
      return object('7', '2');
    });
    const api = await server.api();
    const { changed } = await api.apply({ ...MAP, data: { a: '2' } });
    assert.equal(changed, true);
    const merges = server.asked
      .filter(({ headers }) => headers['content-type'] === 'application/merge-patch+json')
      .map(({ body }) => JSON.parse(body) as unknown);
    assert.deepEqual(merges, [
      { data: { a: '2' }, metadata: { resourceVersion: '5' } },
      { data: { a: '2' }, metadata: { resourceVersion: '6' } },
    ]);
    await api.apply({ ...MAP, data: { a: '1' } });
    assert.equal(server.asked.filter(({ headers }) => headers['content-type'] === 'application/apply-patch+yaml').length, 1);
  });

  it('wait for a busy API server and ask again', async () => {
    const busy: Reply = { status: 429, headers: { 'retry-after': '0' }, body: status(429, 'TooManyRequests', 'busy').body };
    const api = await answering(busy, busy, { body: { gitVersion: 'v1.2.3' } });
    assert.equal(await api.version(), 'v1.2.3');
    assert.equal(server.asked.length, 3);
  });

  it('give up on an API server that stays busy', async () => {
    const api = await answering({ status: 429, headers: { 'retry-after': '0' }, body: status(429, 'TooManyRequests', 'busy').body });
    assert.equal((await failure(api.version())).code, 'kube.server');
    assert.equal(server.asked.length, 4);
  });

  it('follow the pages of a list', async () => {
    server = await serve(({ path }) => ({
      body: {
        metadata: { resourceVersion: '5', continue: path.includes('continue=') ? '' : 'more' },
        items: [{ metadata: { name: path.includes('continue=') ? 'b' : 'a' } }],
      },
    }));
    assert.deepEqual(
      (await (await server.api()).list(PODS)).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['Pod a', 'Pod b'],
    );
  });

  it('send what only a login knows: token, impersonation with groups', async () => {
    server = await serve(() => ({ body: { gitVersion: 'v1' } }));
    await (await server.api({ user: { token: 'abc', as: 'jane', 'as-groups': ['g1', 'g2'] } })).version();
    const { headers } = server.asked[0] ?? assert.fail();
    assert.equal(headers.authorization, 'Bearer abc');
    assert.equal(headers['impersonate-user'], 'jane');
    assert.equal(headers['impersonate-group'], 'g1, g2');
  });

  it('keep the path of a server that is not at the root', async () => {
    server = await serve(() => ({ body: { gitVersion: 'v1' } }));
    await (await server.api({ cluster: { server: `${server.url}/k8s/clusters/c-1/` } })).version();
    assert.equal(server.asked[0]?.path, '/k8s/clusters/c-1/version');
  });

  it('go through the proxy of the environment, and not where NO_PROXY says so', async () => {
    server = await serve(() => ({ body: { gitVersion: 'v1' } }));
    const forwarded: string[] = [];
    // An http address is asked for in full; an https one would come as CONNECT.
    const proxy = http.createServer((request, response) => {
      forwarded.push(request.url ?? '');
      response.end(JSON.stringify({ gitVersion: 'v1' }));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const at = proxy.address();
    const port = at !== null && typeof at === 'object' ? at.port : 0;
    const env = { HTTP_PROXY: `127.0.0.1:${port}` };
    const cluster = { server: 'http://cluster.example:6443' };
    const through = await server.api({ env, cluster });
    assert.equal(await through.version(), 'v1');
    await through.close();

    assert.deepEqual(forwarded, ['http://cluster.example:6443/version']);
    const own = await server.api({ cluster: { ...cluster, 'proxy-url': `http://127.0.0.1:${port}` } });
    assert.equal(await own.version(), 'v1');
    await own.close();
    assert.equal(forwarded.length, 2);

    const around = await server.api({ env: { ...env, NO_PROXY: 'example' }, cluster });
    // A question to a name server that is lost is asked again after 5 s.
    assert.equal((await failure(around.version({ timeoutMs: 25_000 }))).code, 'kube.unreachable');
    assert.equal(forwarded.length, 2);

    proxy.closeAllConnections();
    await new Promise<void>((resolve) => proxy.close(() => resolve()));
  }).timeout(30_000);

  it('name the server that refuses connections', async () => {
    server = await serve(() => ({}));
    const { url } = server;
    const api = await server.api();
    await server.close();
    server = await serve(() => ({}));
    const again = createClusterApi({
      kubeconfig: await loadKubeconfig({ paths: [await kubeconfigFile({ server: url })] }),
      context: 'one',
    });
    const error = await failure(again.get(POD));
    assert.equal(error.code, 'kube.unreachable');
    assert.equal(error.userMessage.args.server, new URL(url).host);
    await again.close();
    assert.equal((await failure(api.get(POD))).code, 'cancelled');
  });

  it('end at the time limit and with the signal', async () => {
    const api = await answering({ stream: 'never' });
    const late = await failure(api.get(POD, { timeoutMs: 50 }));
    assert.deepEqual([late.code, late.userMessage.args.seconds], ['kube.timeout', 0.05]);
    assert.equal((await failure(api.get(POD, { signal: AbortSignal.timeout(50) }))).code, 'cancelled');
    assert.equal((await failure(api.get(POD, { signal: AbortSignal.abort() }))).code, 'cancelled');
  });

  it('take a kind that is not served as empty, and ask discovery once', async () => {
    server = await serve(({ path }) =>
      path === '/apis/x.io/v1'
        ? {
            body: {
              resources: [
                { name: 'things', kind: 'Thing', namespaced: true },
                { name: 'things/status', kind: 'Thing', namespaced: true },
              ],
            },
          }
        : path.startsWith('/apis/x.io/v1/')
          ? { body: { metadata: { resourceVersion: '1' }, items: [] } }
          : { status: 404, body: '404 page not found\n' },
    );
    const api = await server.api();
    assert.deepEqual(await api.list({ apiVersion: 'x.io/v1', kind: 'Thing', namespace: 'n' }), []);
    assert.deepEqual(await api.list({ apiVersion: 'x.io/v1', kind: 'Thing' }), []);
    assert.deepEqual(await api.list({ apiVersion: 'y.io/v1', kind: 'Thing' }), []);
    assert.equal(await api.get({ apiVersion: 'y.io/v1', kind: 'Thing', name: 'x' }), undefined);
    assert.deepEqual(
      server.asked.filter(({ path }) => path.startsWith('/apis/x')).map(({ path }) => path),
      ['/apis/x.io/v1', '/apis/x.io/v1/namespaces/n/things', '/apis/x.io/v1/things'],
    );
  });

  it('let no name reach another path', async () => {
    const api = await answering({});
    for (const name of ['', '.', '..', 'a/b', 'a%2fb', 'a\nb'])
      assert.equal((await failure(api.get({ ...POD, name }))).field, 'metadata.name');
    assert.equal((await failure(api.get({ ...POD, apiVersion: '../v1' }))).code, 'kube.invalid');
    assert.equal(server.asked.length, 0);
  });

  it('ask what an account may do, not all at once', async () => {
    let open = 0;
    let most = 0;
    server = await serve(({ body }) => {
      open += 1;
      most = Math.max(most, open);
      queueMicrotask(() => (open -= 1));
      const { spec } = JSON.parse(body) as { spec: { resourceAttributes: { verb: string; resource: string; subresource?: string } } };
      return {
        status: 201,
        body: { status: { allowed: spec.resourceAttributes.verb === 'get' && spec.resourceAttributes.subresource === undefined } },
      };
    });
    const api = await server.api();
    const answers = await api.can(
      ['get', 'delete'].flatMap((verb) => ['pods', 'pods/log'].map((resource) => ({ verb, group: '', resource }))),
    );
    assert.deepEqual(
      answers.map(({ allowed }) => allowed),
      [true, false, false, false],
    );
    assert.ok(most <= 8);
  });
});
