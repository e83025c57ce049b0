import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createEditStore } from '../../../src/cli/editStore.ts';
import { overall } from '../../../src/cli/exitCode.ts';
import { packageSource } from '../../../src/cli/join.ts';
import { languageOf, loadTexts } from '../../../src/cli/language.ts';
import { printable } from '../../../src/cli/output.ts';
import { secretQuestion } from '../../../src/cli/prompts.ts';
import { fileTrustStore } from '../../../src/cli/trustStore.ts';
import { isMeshError } from '../../../src/mesh/errors.ts';

describe('exit code of a run', () => {
  it('is the highest of 1 - 4 that occurred, and that of the signal when one came', () => {
    assert.equal(overall([], undefined), 0);
    assert.equal(overall([0, 3, 1, 0], undefined), 3);
    assert.equal(overall([4, 2], undefined), 4);
    assert.equal(overall([0, 130], undefined), 130);
    assert.equal(overall([1], 'SIGINT'), 130);
    assert.equal(overall([1], 'SIGTERM'), 143);
  });
});

describe('language', () => {
  it('is Simplified Chinese where the locale says so, LC_ALL before LANG', () => {
    const cases: [Record<string, string>, string][] = [
      [{}, 'en'],
      [{ LANG: 'zh_CN.UTF-8' }, 'zh-cn'],
      [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }, 'en'],
      [{ LANG: 'en_US.UTF-8', LC_MESSAGES: 'zh_SG' }, 'zh-cn'],
      [{ LANG: 'zh_TW.UTF-8' }, 'en'],
      [{ LANG: 'zh' }, 'zh-cn'],
      [{ LANG: 'zha_CN' }, 'en'],
    ];
    for (const [env, expected] of cases) assert.equal(languageOf(env), expected, JSON.stringify(env));
  });
});

describe('questions for secrets', () => {
  it('say what is asked for, on which host, and send no control characters', () => {
    const ask = (kind: 'sudo' | 'passphrase' | 'password' | 'interactive', prompt: string): string =>
      secretQuestion({ kind, host: 'db-1', prompt, echo: false }, loadTexts('en'));
    assert.equal(ask('sudo', ''), 'sudo password on db-1:');
    assert.equal(ask('passphrase', '~/.ssh/id_ed25519'), 'Passphrase of the key ~/.ssh/id_ed25519 (to log in to db-1):');
    assert.equal(ask('password', 'admin@10.0.0.5'), 'Password of admin@10.0.0.5 (to log in to db-1):');
    assert.equal(ask('interactive', 'Code: \u001b[2J'), 'db-1 asks: Code: \\x1b[2J');
  });
});

describe('package source', () => {
  it('tells a URL, an istio.VERSION and a file apart', () => {
    assert.deepEqual(packageSource('https://x/istio-sidecar.deb'), { kind: 'url', url: 'https://x/istio-sidecar.deb' });
    assert.deepEqual(packageSource('/r/istio.VERSION'), { kind: 'istio.VERSION', path: '/r/istio.VERSION' });
    assert.deepEqual(packageSource('https://x/y.deb', 'ab'), { kind: 'url', url: 'https://x/y.deb', sha256: 'ab' });
    assert.deepEqual(packageSource('/r/istio-sidecar.deb'), { kind: 'file', path: '/r/istio-sidecar.deb' });
  });
});

describe('output', () => {
  it('shows control characters instead of sending them', () =>
    assert.equal(printable('a\u001b[31mb\tc\nd\u0007\u009b'), 'a\\x1b[31mb\tc\nd\\x07\\x9b'));
});

describe('saved edits on disk', () => {
  const base = 'a'.repeat(64);
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mesh-expansion-edits-'));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('are the text, and the hash it was made from beside it', async () => {
    const store = createEditStore(folder);
    await store.write('db/1', '/etc/dnsmasq.d/kubedns', { text: 'mine\n', base });
    assert.equal(await readFile(path.join(folder, '.mesh-expansion/db%2F1/etc/dnsmasq.d/kubedns'), 'utf8'), 'mine\n');
    assert.equal(await readFile(path.join(folder, '.mesh-expansion/db%2F1/etc/dnsmasq.d/kubedns.base'), 'utf8'), `${base}\n`);
    assert.deepEqual(await store.read('db/1', '/etc/dnsmasq.d/kubedns'), { text: 'mine\n', base });
    assert.deepEqual(await store.list('db/1'), ['/etc/dnsmasq.d/kubedns']);
    assert.deepEqual(await store.list('db'), []);
    await store.delete('db/1', '/etc/dnsmasq.d/kubedns');
    assert.deepEqual([await store.list('db/1'), await store.read('db/1', '/etc/dnsmasq.d/kubedns')], [[], undefined]);
  });

  it('without a hash were made from an unknown text', async () => {
    const store = createEditStore(folder);
    await store.write('db-1', '/etc/dnsmasq.d/kubedns', { text: 'mine\n', base });
    await writeFile(path.join(folder, '.mesh-expansion/db-1/etc/dnsmasq.d/kubedns.base'), 'rubbish');
    assert.equal((await store.read('db-1', '/etc/dnsmasq.d/kubedns'))?.base, '');
  });

  it('stay inside their folder', async () => {
    const store = createEditStore(folder);
    for (const bad of ['/etc/../../x', '/root/.ssh/authorized_keys', 'etc/x', '/etc/x.base']) {
      await assert.rejects(store.write('db-1', bad, { text: '', base }), (error: unknown) => isMeshError(error, 'edit.path'), bad);
    }
    await store.write('..', '/etc/x', { text: '', base });
    assert.deepEqual(await store.list('..'), ['/etc/x']);
    assert.equal(await readFile(path.join(folder, '.mesh-expansion/%2E%2E/etc/x'), 'utf8'), '');
  });
});

describe('accepted host keys', () => {
  it('are remembered below XDG_STATE_HOME', async () => {
    const state = await mkdtemp(path.join(tmpdir(), 'mesh-expansion-state-'));
    const store = fileTrustStore({ XDG_STATE_HOME: state });
    assert.equal(store.read(), '');
    store.append('vm-1 ssh-ed25519 AAAA');
    assert.equal(fileTrustStore({ XDG_STATE_HOME: state }).read(), 'vm-1 ssh-ed25519 AAAA\n');
    await rm(state, { recursive: true });
  });
});
