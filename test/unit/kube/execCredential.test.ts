import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExecCredentials } from '../../../src/kube/execCredential.ts';
import { failure, serve, status, type TestServer } from './server.ts';

const CLUSTER = { name: 'c', server: 'https://c.example', caData: 'Q0E=', skipTlsVerify: false };
const ANSWER = (token: string, expires?: string) =>
  JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token, expirationTimestamp: expires },
  });

describe('a program that gives tokens', () => {
  let folder: string;
  let runs: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'exec-'));
    runs = path.join(folder, 'runs');
  });

  /** A Node program that notes its run, then does as told. */
  const program = (script: string, extra: object = {}) => ({
    command: process.execPath,
    args: ['-e', `require('node:fs').appendFileSync(${JSON.stringify(runs)}, process.pid + '\\n'); ${script}`],
    env: [{ name: 'GIVEN', value: 'yes' }],
    apiVersion: 'client.authentication.k8s.io/v1',
    provideClusterInfo: false,
    ...extra,
  });
  const pids = async () => (await readFile(runs, 'utf8')).trim().split('\n').map(Number);
  const any = () => AbortSignal.timeout(9000);

  it('runs once for requests that come together, and keeps the token', async () => {
    const source = new ExecCredentials(program(`setTimeout(() => console.log(${JSON.stringify(ANSWER('t1'))}), 100)`), CLUSTER);
    const tokens = await Promise.all([1, 2, 3].map(() => source.get(any())));
    assert.deepEqual(
      tokens.map(({ token }) => token),
      ['t1', 't1', 't1'],
    );
    await source.get(any());
    assert.equal((await pids()).length, 1);
    source.forget();
    await source.get(any());
    assert.equal((await pids()).length, 2);
  });

  it('runs again when the token has expired', async () => {
    const source = new ExecCredentials(program(`console.log(${JSON.stringify(ANSWER('t', '2020-01-01T00:00:00Z'))})`), CLUSTER);
    await source.get(any());
    await source.get(any());
    assert.equal((await pids()).length, 2);
  });

  it('is told what it is for', async () => {
    const script =
      "console.log(JSON.stringify({kind: 'ExecCredential', status: {token: process.env.GIVEN + process.env.KUBERNETES_EXEC_INFO}}))";
    const told = async (extra: object) =>
      JSON.parse(((await new ExecCredentials(program(script, extra), CLUSTER).get(any())).token ?? '').slice('yes'.length)) as unknown;
    assert.deepEqual(await told({}), {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false },
    });
    assert.deepEqual(await told({ provideClusterInfo: true }), {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://c.example', 'certificate-authority-data': 'Q0E=' } },
    });
  });

  it('is ended when nobody waits for it any more', async () => {
    const source = new ExecCredentials(program('setInterval(() => {}, 1000)'), CLUSTER);
    const stop = new AbortController();
    const got = assert.rejects(source.get(stop.signal));
    let pid = 0;
    for (let waited = 0; waited < 8000 && pid === 0; waited += 20) {
      await sleep(20);
      [pid = 0] = await pids().catch(() => []);
    }
    assert.equal(alive(pid), true);
    stop.abort();
    await got;
    for (let waited = 0; waited < 5000 && alive(pid); waited += 20) await sleep(20);
    assert.equal(alive(pid), false);
  });

  it('that is missing is named with its install hint', async () => {
    const missing = { ...program(''), command: 'no-such-login-program' };
    const error = await failure(new ExecCredentials({ ...missing, installHint: 'brew install login' }, CLUSTER).get(any()));
    assert.deepEqual(
      [error.code, error.kind, error.userMessage.id, error.userMessage.args.command],
      ['kube.unauthorized', 'person', 'kube.exec.missing', 'no-such-login-program'],
    );
    assert.equal(error.nextStep?.args.hint, 'brew install login');
    assert.equal((await failure(new ExecCredentials(missing, CLUSTER).get(any()))).nextStep?.id, 'kube.exec.missing.next');
  });

  it('that fails is quoted, one that prints nonsense is named', async () => {
    const failed = await failure(new ExecCredentials(program("console.error('please log in'); process.exit(3)"), CLUSTER).get(any()));
    assert.deepEqual(
      [failed.userMessage.id, failed.userMessage.args.status, failed.userMessage.args.text],
      ['kube.exec.failed', 3, 'please log in'],
    );
    const nonsense = await failure(new ExecCredentials(program("console.log('hello')"), CLUSTER).get(any()));
    assert.equal(nonsense.userMessage.id, 'kube.exec.answer');
  });

  describe('and an API server that refuses the first token', () => {
    let server: TestServer;
    afterEach(() => server.close());

    it('is asked once more', async () => {
      server = await serve(({ headers }) =>
        headers.authorization === 'Bearer token-2' ? { body: { gitVersion: 'v1' } } : status(401, 'Unauthorized', 'no'),
      );
      const count = `const n = require('node:fs').readFileSync(${JSON.stringify(runs)}, 'utf8').trim().split('\\n').length;`;
      const exec = program(`${count} console.log(JSON.stringify({kind: 'ExecCredential', status: {token: 'token-' + n}}))`);
      const api = await server.api({ user: { exec } });
      assert.equal(await api.version(), 'v1');
      assert.equal((await pids()).length, 2);
    });

    it('ends with the person when the second is refused too', async () => {
      server = await serve(() => status(401, 'Unauthorized', 'no'));
      const api = await server.api({ user: { exec: program(`console.log(${JSON.stringify(ANSWER('t'))})`) } });
      assert.equal((await failure(api.version())).code, 'kube.unauthorized');
      assert.equal((await pids()).length, 2);
    });
  });
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
