import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { algorithmsFor } from '../../../src/ssh/algorithms.ts';
import { listHosts } from '../../../src/ssh/config/aliases.ts';
import { effectiveConfig, isOn, numberOf, option, parseOptions, type EffectiveConfig } from '../../../src/ssh/config/effective.ts';
import { computeWithoutSsh } from '../../../src/ssh/config/fallback.ts';
import { judgeOptions, preferredMethods } from '../../../src/ssh/config/options.ts';
import { expandPath } from '../../../src/ssh/config/tokens.ts';
import { parseHop } from '../../../src/ssh/connect.ts';

const config = (options: Record<string, string> = {}, source: 'ssh' | 'parser' = 'ssh'): EffectiveConfig => ({
  alias: 'db',
  hostName: 'db.example.com',
  port: 2222,
  user: 'admin',
  source,
  options: new Map(Object.entries(options).map(([keyword, value]) => [keyword, [value]])),
});
const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

describe('ssh configuration', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'ssh-config-'));
  const main = path.join(directory, 'config');
  const marker = path.join(directory, 'ran');
  before(() => {
    mkdirSync(path.join(directory, 'conf.d'));
    writeFileSync(path.join(directory, 'conf.d', 'a.conf'), 'Host included other\n  HostName 10.0.0.2\n');
    writeFileSync(path.join(directory, 'conf.d', 'b.conf'), `Match host db exec "touch ${marker}"\n  User executed\n`);
    writeFileSync(
      main,
      `Include ${directory}/conf.d/a.conf\nHost db\n  HostName db.example.com\n  Port 2200\n  IdentityFile ~/one\n  IdentityFile ~/two\n  UserKnownHostsFile /a /b\nHost *.pattern !negated -oProxyCommand=x\n  User nobody\nhost=jumped\n  ProxyJump db\nHost *\n  User admin\n  ConnectTimeout 7\n`,
    );
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('lists the machines by name, Include files too, patterns and unusable names left out', async () => {
    const hosts = await listHosts({ configFile: main });
    assert.deepEqual(hosts, [
      { alias: 'db', hostName: 'db.example.com', user: 'admin' },
      { alias: 'included', hostName: '10.0.0.2', user: 'admin' },
      { alias: 'jumped', user: 'admin' },
      { alias: 'other', hostName: '10.0.0.2', user: 'admin' },
    ]);
    assert.deepEqual(await listHosts({ configFile: path.join(directory, 'none') }), []);
  });

  it('is what ssh -G says', async () => {
    const found = await effectiveConfig('db', { configFile: main });
    assert.deepEqual([found.hostName, found.port, found.user, found.source], ['db.example.com', 2200, 'admin', 'ssh']);
    assert.deepEqual(found.options.get('identityfile'), ['~/one', '~/two']);
    assert.equal(numberOf(found, 'connecttimeout', 1), 7);
    const other = await effectiveConfig('db', { configFile: main, user: 'hop', port: 9 });
    assert.deepEqual([other.user, other.port], ['hop', 9]);
    await assert.rejects(effectiveConfig('-oProxyCommand=x'), { code: 'host.name' });
    writeFileSync(path.join(directory, 'broken'), 'Host *\n  NoSuchOption 1\n');
    await assert.rejects(effectiveConfig('db', { configFile: path.join(directory, 'broken') }), { code: 'host.config' });
  });

  it('without an OpenSSH client agrees with it, and runs no Match exec', async () => {
    const text = path.join(directory, 'with-exec');
    writeFileSync(text, `Include ${directory}/conf.d/*.conf\nInclude ${main}\n`);
    const options = await computeWithoutSsh('db', text);
    const real = await effectiveConfig('db', { configFile: main });
    for (const keyword of ['hostname', 'port', 'user', 'connecttimeout'])
      assert.deepEqual(options.get(keyword), real.options.get(keyword), keyword);
    assert.deepEqual(options.get('identityfile'), ['~/one', '~/two']);
    assert.equal((await computeWithoutSsh('included', text)).get('hostname')?.[0], '10.0.0.2');
    assert.equal(existsSync(marker), false);
  });

  it('values: none is not set, yes and true are on', () => {
    const options = { options: parseOptions('ProxyJump none\nidentitiesonly yes\nserveraliveinterval 5\nx\nuserknownhostsfile /a /b\n') };
    assert.equal(option(options, 'proxyjump'), undefined);
    assert.equal(isOn(options, 'identitiesonly', false), true);
    assert.equal(isOn(options, 'hashknownhosts', true), true);
    assert.equal(numberOf(options, 'serveraliveinterval', 0), 5);
  });

  it('fills in tokens, and names those it does not know', () => {
    assert.equal(expandPath(config(), 'identityfile', '/k/%r@%h:%p-%n-%%'), '/k/admin@db.example.com:2222-db-%');
    assert.equal(expandPath(config(), 'identityfile', '~/x'), path.join(os.homedir(), 'x'));
    assert.equal(
      code(() => expandPath(config(), 'identityfile', '/k/%Z')),
      'host.option-unsupported',
    );
    assert.equal(
      code(() => expandPath(config(), 'identityfile', '/${NO_SUCH_VARIABLE_HERE}')),
      'host.option-unsupported',
    );
  });

  it('refuses or names every option that it cannot honour', () => {
    for (const refusedOption of [
      'proxycommand',
      'knownhostscommand',
      'revokedhostkeys',
      'pkcs11provider',
      'bindinterface',
      'remotecommand',
    ]) {
      assert.equal(
        code(() => judgeOptions(config({ [refusedOption]: 'something' }))),
        'host.option-unsupported',
        refusedOption,
      );
      assert.deepEqual(judgeOptions(config({ [refusedOption]: 'none' })), []);
    }
    assert.equal(
      code(() => judgeOptions(config({ preferredauthentications: 'gssapi-with-mic,hostbased' }))),
      'host.option-unsupported',
    );
    assert.equal(
      code(() => judgeOptions(config({ pubkeyauthentication: 'no', passwordauthentication: 'no', kbdinteractiveauthentication: 'no' }))),
      'host.option-unsupported',
    );
    assert.deepEqual(
      judgeOptions(config({ certificatefile: '/c', forwardagent: 'yes', forwardx11: 'no' })).map((note) => note.args.option),
      ['certificatefile', 'forwardagent'],
    );
  });

  it('tries the methods in the configured order, in batch mode only those that ask nobody', () => {
    assert.deepEqual(preferredMethods(config()), ['publickey', 'keyboard-interactive', 'password']);
    assert.deepEqual(preferredMethods(config({ preferredauthentications: 'password, publickey' })), ['password', 'publickey']);
    assert.deepEqual(preferredMethods(config({ batchmode: 'yes' })), ['publickey']);
  });

  it('asks for host keys of the known types first, and never for what the configuration forbids', () => {
    const all = 'ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256';
    assert.deepEqual(algorithmsFor(config({ hostkeyalgorithms: all }), ['ssh-rsa']).serverHostKey, [
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
    ]);
    assert.deepEqual(algorithmsFor(config({ hostkeyalgorithms: 'ssh-ed25519' }), ['ssh-rsa']).serverHostKey, ['ssh-ed25519']);
    assert.deepEqual(algorithmsFor(config({ ciphers: 'aes256-ctr' }), []).cipher, ['aes256-ctr']);
    assert.equal(
      code(() => algorithmsFor(config({ kexalgorithms: 'sntrup761x25519-sha512' }), [])),
      'host.option-unsupported',
    );
    const weak = /group1-sha1|group14-sha1|exchange-sha1|-cbc|"ssh-rsa"|ssh-dss/;
    assert.doesNotMatch(JSON.stringify(algorithmsFor(config(), [])), weak);
    assert.deepEqual(algorithmsFor(config({ kexalgorithms: 'diffie-hellman-group14-sha1' }), []).kex, ['diffie-hellman-group14-sha1']);
  });

  it('reads the hops of ProxyJump', () => {
    assert.deepEqual(parseHop('jump'), { alias: 'jump' });
    assert.deepEqual(parseHop('me@jump:2222'), { alias: 'jump', user: 'me', port: 2222 });
    assert.deepEqual(parseHop('ssh://me@jump:22'), { alias: 'jump', user: 'me', port: 22 });
    assert.deepEqual(parseHop('[fe80::1]:23'), { alias: 'fe80::1', port: 23 });
    assert.equal(
      code(() => parseHop('-oProxyCommand=x')),
      'host.name',
    );
    assert.equal(
      code(() => parseHop('-oX@jump')),
      'host.name',
    );
  });
});
