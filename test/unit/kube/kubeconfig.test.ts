import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listContexts, loadKubeconfig } from '../../../src/kube/index.ts';
import { proxyFromEnvironment } from '../../../src/kube/proxy.ts';
import { createClusterApi } from '../../../src/kube/clusterApi.ts';
import { attempt, failure } from './server.ts';

const FIRST = `
apiVersion: v1
kind: Config
clusters:
- {name: shared, cluster: {server: 'https://first:6443/', certificate-authority: ca.crt}}
contexts:
- {name: a, context: {cluster: shared, user: robot, namespace: team}}
users:
- {name: robot, user: {exec: {apiVersion: v1, command: ./login, args: [a]}}}
`;
const SECOND = `
current-context: b
clusters:
- {name: shared, cluster: {server: 'https://second:6443'}}
- {name: other, cluster: {server: 'https://other'}}
contexts:
- {name: b, context: {cluster: other, user: gke}}
- {name: a, context: {cluster: other}}
users:
- {name: gke, user: {auth-provider: {name: gcp, config: {cmd-path: gcloud}}}}
`;

describe('kubeconfig', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kubeconfig-'));
  });

  const write = async (name: string, text: string) => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };

  it('is parsed again when the file was edited, and only then', async () => {
    const file = await write('config', FIRST);
    const load = async () => (await loadKubeconfig({ paths: [file] })).clusters.get('shared');
    const first = await load();
    assert.equal(await load(), first);
    // As long as before, and most likely within the same tick of the file's time.
    await write('config', FIRST.replace('first:6443', 'other:6443'));
    assert.equal((await load())?.server, 'https://other:6443');
    await write('config', FIRST);
    assert.deepEqual(await load(), first);
  });

  it('merges the files of KUBECONFIG, the first to name an entry winning', async () => {
    const env = {
      KUBECONFIG: [
        await write('one/config', FIRST),
        '',
        path.join(folder, 'missing'),
        await write('two/config', SECOND),
        await write('three', 'current-context: a'),
      ].join(path.delimiter),
    };
    const kubeconfig = await loadKubeconfig({ env });
    assert.deepEqual(listContexts(kubeconfig), [
      { name: 'a', server: 'https://first:6443', namespace: 'team', current: false, runsProgram: true },
      { name: 'b', server: 'https://other', namespace: undefined, current: true, runsProgram: true },
    ]);
    assert.equal(kubeconfig.clusters.get('shared')?.caFile, path.join(folder, 'one/ca.crt'));
    assert.equal(kubeconfig.users.get('robot')?.exec?.command, path.join(folder, 'one/login'));
    assert.deepEqual(
      kubeconfig.files.map(({ exists }) => exists),
      [true, false, true, true],
    );
  });

  it('takes ~/.kube/config without KUBECONFIG, and a given path before both', async () => {
    await write('.kube/config', SECOND);
    const given = await write('given', FIRST);
    assert.equal((await loadKubeconfig({ env: {}, home: folder })).contexts.size, 2);
    assert.deepEqual([...(await loadKubeconfig({ paths: [given], env: { KUBECONFIG: '/other' }, home: folder })).contexts.keys()], ['a']);
    assert.deepEqual(listContexts(await loadKubeconfig({ env: {}, home: path.join(folder, 'nobody') })), []);
    assert.deepEqual(listContexts(await loadKubeconfig({ paths: [await write('empty', '')] })), []);
  });

  const wrong: readonly (readonly [string, string, string | undefined])[] = [
    ['clusters: {}', 'kube.kubeconfig.list', 'clusters'],
    ['[]', 'kube.kubeconfig.map', '(top)'],
    ['clusters: [{cluster: {server: "https://x"}}]', 'kube.kubeconfig.missing', 'clusters[0].name'],
    ['clusters: [{name: x, cluster: {}}]', 'kube.kubeconfig.missing', 'clusters[0].cluster.server'],
    ['clusters: [{name: x, cluster: {server: "x:6443"}}]', 'kube.kubeconfig.url', 'clusters[0].cluster.server'],
    ['users: [{name: x, user: {token: 5}}]', 'kube.kubeconfig.text', 'users[0].user.token'],
    ['users: [{name: x, user: {exec: {args: [a]}}}]', 'kube.kubeconfig.missing', 'users[0].user.exec.command'],
    ['contexts: [{name: x, context: {cluster: a}}, {name: x, context: {cluster: a}}]', 'kube.kubeconfig.duplicate', 'contexts[1].name'],
    ['clusters: [', 'kube.kubeconfig.yaml', undefined],
    ['a: 1\na: 2', 'kube.kubeconfig.yaml', undefined],
  ];
  for (const [text, id, field] of wrong) {
    it(`names file, field and rule: ${JSON.stringify(text)}`, async () => {
      const file = await write('bad', text);
      const error = await failure(loadKubeconfig({ paths: [file] }));
      assert.deepEqual(
        [error.code, error.kind, error.userMessage.id, error.field, error.userMessage.args.file],
        ['kube.kubeconfig', 'bad-input', id, field, file],
      );
    });
  }

  it('says where a file is not YAML, and quotes none of it: the line may hold a token', async () => {
    const error = await failure(loadKubeconfig({ paths: [await write('torn', 'users:\n- name: a\n  user: {token: s3cr3t: }\n')] }));
    assert.match(String(error.userMessage.args.text), /^3:\d+ /);
    assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /s3cr3t/);
  });

  it('names a file that cannot be read', async () => {
    const error = await failure(loadKubeconfig({ paths: [folder] }));
    assert.deepEqual([error.userMessage.id, error.userMessage.args.file], ['kube.kubeconfig.read', folder]);
  });

  it('refuses a context that is not there, or whose cluster or user is not', async () => {
    const file = await write(
      'c',
      'contexts: [{name: x, context: {cluster: none}}, {name: y, context: {cluster: c, user: none}}]\nclusters: [{name: c, cluster: {server: "https://c"}}]',
    );
    const kubeconfig = await loadKubeconfig({ paths: [file] });
    const id = async (context: string) => (await failure(attempt(() => createClusterApi({ kubeconfig, context })))).userMessage.id;
    assert.deepEqual([await id('z'), await id('x'), await id('y')], ['kube.context-unknown', 'kube.context-cluster', 'kube.context-user']);
  });

  it('names a certificate file that is not there when it is needed', async () => {
    const kubeconfig = await loadKubeconfig({
      paths: [
        await write(
          'd',
          'contexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: "https://c.invalid", certificate-authority: gone.crt}}]',
        ),
      ],
    });
    const api = createClusterApi({ kubeconfig, context: 'x', env: {} });
    const error = await failure(api.version());
    assert.deepEqual([error.code, error.userMessage.args.file], ['kube.kubeconfig', path.join(folder, 'gone.crt')]);
    await api.close();
  });
});

describe('the proxy of the environment', () => {
  // Expected as golang.org/x/net/http/httpproxy documents NO_PROXY.
  const PROXY = 'http://proxy:3128';
  const cases: readonly (readonly [string, Record<string, string>, string | undefined])[] = [
    ['https://api.example.com:6443', { HTTPS_PROXY: PROXY }, PROXY],
    ['https://api.example.com:6443', { https_proxy: 'proxy:3128' }, PROXY],
    ['https://api.example.com', { HTTP_PROXY: PROXY }, undefined],
    ['http://api.example.com', { HTTP_PROXY: PROXY }, PROXY],
    ['https://127.0.0.1:6443', { HTTPS_PROXY: PROXY }, undefined],
    ['https://localhost', { HTTPS_PROXY: PROXY }, undefined],
    ['https://[::1]:6443', { HTTPS_PROXY: PROXY }, undefined],
    ['https://10.1.2.3', { HTTPS_PROXY: PROXY, NO_PROXY: 'x, 10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { HTTPS_PROXY: PROXY, NO_PROXY: '10.0.0.0/8' }, PROXY],
    ['https://10.1.2.3', { HTTPS_PROXY: PROXY, no_proxy: '10.1.2.3' }, undefined],
    ['https://10.1.2.3:6443', { HTTPS_PROXY: PROXY, NO_PROXY: '10.1.2.3:443' }, PROXY],
    ['https://api.example.com', { HTTPS_PROXY: PROXY, NO_PROXY: 'example.com' }, undefined],
    ['https://api.example.com:8443', { HTTPS_PROXY: PROXY, NO_PROXY: 'example.com:8443' }, undefined],
    ['https://api.example.com', { HTTPS_PROXY: PROXY, NO_PROXY: '.example.com' }, undefined],
    ['https://example.com', { HTTPS_PROXY: PROXY, NO_PROXY: '.example.com' }, PROXY],
    ['https://myexample.com', { HTTPS_PROXY: PROXY, NO_PROXY: 'example.com' }, PROXY],
    ['https://[fd00::5]:6443', { HTTPS_PROXY: PROXY, NO_PROXY: 'fd00::/8' }, undefined],
    ['https://x.example', { HTTPS_PROXY: PROXY, NO_PROXY: '*' }, undefined],
  ];
  for (const [server, env, expected] of cases) {
    it(`${server} with ${JSON.stringify(env)}`, () => assert.equal(proxyFromEnvironment(server, env), expected));
  }
});
