// One `ssh -G` for many aliases: the answer must be the one that OpenSSH gives to each, and is asked for as often as it may differ.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { effectiveConfig, parseOptions } from '../../../src/ssh/config/effective.ts';

describe('the answer of ssh -G', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'shared-config-'));
  const log = path.join(directory, 'log');
  const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
  const before_ = process.env.PATH;
  let files = 0;

  before(() => {
    const bin = path.join(directory, 'bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'ssh'), `#!/bin/sh\necho "$@" >>${log}\nexec ${ssh} "$@"\n`);
    chmodSync(path.join(bin, 'ssh'), 0o755);
    process.env.PATH = `${bin}:${before_ ?? ''}`;
    mkdirSync(path.join(directory, 'conf.d'));
    writeFileSync(path.join(directory, 'conf.d', 'a.conf'), 'Host db-*\n  Port 2200\nHost db-3\n  Port 2300\n');
  });
  after(() => {
    process.env.PATH = before_;
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => writeFileSync(log, ''));

  const asked = (): number => readFileSync(log, 'utf8').trimEnd().split('\n').filter(Boolean).length;
  const configFile = (text: string): string => {
    const file = path.join(directory, `config-${(files += 1)}`);
    writeFileSync(file, text);
    return file;
  };
  const answers = async (file: string, aliases: readonly string[]): Promise<void> => {
    const found = await Promise.all(aliases.map((alias) => effectiveConfig(alias, { configFile: file })));
    aliases.forEach((alias, index) => {
      const real = parseOptions(execFileSync(ssh, ['-G', '-F', file, '--', alias], { encoding: 'utf8', stdio: 'pipe' }));
      real.delete('loglevel');
      assert.deepEqual([...(found[index]?.options ?? [])].sort(), [...real].sort(), alias);
      assert.equal(found[index]?.hostName, real.get('hostname')?.[0]);
    });
  };

  const individual = ['db-1', 'db-2', 'db-3'].map((name, index) => `Host ${name}\n  HostName 10.0.0.${index + 1}\n`).join('');
  for (const [what, text, aliases, times] of [
    ['aliases of one pattern', 'Host *\n  User admin\n  IdentityFile ~/.ssh/a\n  IdentityFile ~/.ssh/b\n', ['db-1', '10.0.0.7', 'web'], 1],
    ['aliases with a HostName each', `${individual}Host db-*\n  User admin\n`, ['db-1', 'db-2', 'db-3'], 1],
    ['the first HostName', `Host db-1\n HostName a.example\nHost db-*\n HostName b.example\n`, ['db-1', 'db-2', 'db-3'], 1],
    ['one that a pattern leaves out', 'Host db-* !db-2\n  User admin\nHost *\n  User root\n', ['db-1', 'db-2', 'db-3'], 2],
    ['the same options from other blocks', 'Host db-1\n  User a\nHost db-2\n  User a\nHost db-3\n  User b\n', ['db-1', 'db-2', 'db-3'], 2],
    ['files that are included', `Include ${directory}/conf.d/*.conf\nHost *\n  User admin\n`, ['db-1', 'db-2', 'db-3', 'web'], 3],
    ['names that OpenSSH changes', 'Host *\n  User admin\n', ['DB-1', '127.1', '0x7f.1', 'db-1'], 4],
    ['a HostName that OpenSSH changes', 'Host db-1\n HostName 127.1\nHost db-2\n HostName UP.example\n', ['db-1', 'db-2'], 2],
    ['Match', 'Match host db-1\n  User special\nHost *\n  User admin\n', ['db-1', 'db-2'], 2],
    ['a token', 'Host *\n  HostName %h.example\n  UserKnownHostsFile ~/known/%h\n', ['db-1', 'db-2'], 2],
    ['a variable', 'Host *\n  IdentityAgent ${HOME}/agent\n', ['db-1', 'db-2'], 2],
    ['a jump', 'Host db-*\n  ProxyJump bastion\n', ['db-1', 'db-2'], 2],
    ['quotes', 'Host "db-1" db-2\n  User admin\n', ['db-1', 'db-2'], 2],
    ['a sign of equality', 'Host=db-1\n  User = admin\n', ['db-1', 'db-2'], 2],
    ['an Include in a block', `Host db-1\n  Include ${directory}/conf.d/a.conf\n`, ['db-1', 'db-2'], 2],
    ['a user in the alias', 'Host db-1\n  User admin\n', ['me@db-1', 'you@db-1'], 2],
  ] as const)
    it(`${what}: asked ${times} times for ${aliases.length}`, async () => {
      const file = configFile(text);
      await answers(file, aliases);
      assert.equal(asked(), times);
    });

  it('is asked anew when the file has changed, and gives the words of OpenSSH alone when it is wrong', async () => {
    const file = configFile('Host *\n  User one\n');
    await answers(file, ['db-1']);
    writeFileSync(file, 'Host *\n  User two\n');
    await answers(file, ['db-2']);
    writeFileSync(file, 'Host *\n  NoSuchOption 1\n');
    await assert.rejects(effectiveConfig('db-1', { configFile: file }), (error: { userMessage: { args: { text: string } } }) => {
      assert.match(error.userMessage.args.text, /NoSuchOption/i);
      assert.doesNotMatch(error.userMessage.args.text, /debug1/);
      return true;
    });
  });

  it('is not shared by one that is called off', async () => {
    const file = configFile('Host *\n  User admin\n');
    const control = new AbortController();
    const first = effectiveConfig('db-1', { configFile: file, signal: control.signal });
    const second = effectiveConfig('db-2', { configFile: file });
    control.abort();
    await assert.rejects(first, { code: 'cancelled' });
    assert.equal((await second).user, 'admin');
  });
});
