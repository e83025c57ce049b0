import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { checkAccount, checkAlias, checkName, checkPath, word, words } from '../../../src/ssh/words.ts';

function refused(check: (text: string) => string, text: string, code: string): void {
  assert.throws(
    () => check(text),
    (error: { code?: string; kind?: string; nextStep?: unknown }) => error.code === code && error.nextStep !== undefined,
    JSON.stringify(text),
  );
}

describe('a word of a shell line', () => {
  const hostile = [
    '',
    ' ',
    "'",
    "''",
    "a'b'c",
    '"',
    '\\',
    '\\\\',
    "\\'",
    '$(id)',
    '`id`',
    '$HOME',
    '!x',
    'a\nb',
    '\r\n',
    '\t',
    '*',
    '~',
    '#',
    '-n',
    '--',
    '\u001b[0m',
    'ü漢',
    ';',
    '|',
    '&',
    '(',
    '{a,b}',
    "'; id; '",
  ];

  for (const shell of ['dash', 'bash']) {
    it(`is what ${shell} makes of it, byte for byte`, () => {
      const printed = execFileSync(shell, ['-c', `printf '%s\\0' ${words(hostile)}`], { encoding: 'utf8' });
      assert.deepEqual(printed.split('\0').slice(0, -1), hostile);
    });
  }

  it('cannot hold NUL', () => refused(word, 'a\0b', 'host.word'));
});

describe('names', () => {
  it('of hosts: what OpenSSH takes, and nothing that an option, a shell or a path could be made of', () => {
    for (const alias of ['db-1', 'admin@db-1', 'db_1.example.com', '10.0.0.1', 'fe80::1%eth0', '[::1]', 'büro'])
      assert.equal(checkAlias(alias), alias);
    for (const alias of [
      '',
      '-oProxyCommand=x',
      'x@-oProxyCommand=x',
      'a b',
      'a/b',
      'a;b',
      'a$b',
      'a`b',
      "a'b",
      'a"b',
      'a|b',
      'a\nb',
      'a\u0000b',
      '*',
      'a\\b',
      'admin@',
      'x'.repeat(300),
    ])
      refused(checkAlias, alias, 'host.name');
  });

  it('of files: absolute, normal, without control characters', () => {
    for (const path of ['/etc/hosts', "/etc/it's", '/a/-rf', '/x/$(id)', '/etc/dnsmasq.d/.hidden']) assert.equal(checkPath(path), path);
    for (const path of [
      '',
      '/',
      'etc/hosts',
      '/etc//hosts',
      '/etc/./hosts',
      '/etc/../hosts',
      '/etc/hosts/',
      '/etc/a\nb',
      '/etc/a\u007fb',
      `/${'x'.repeat(2000)}`,
    ])
      refused(checkPath, path, 'host.path');
  });

  it('of units, packages and accounts', () => {
    for (const name of ['istio-auth-node-agent', 'getty@tty1.service', 'libc6:amd64', 'g++']) assert.equal(checkName(name), name);
    for (const name of ['', '-H', 'a b', 'a/b', '$(id)', 'a;b', 'a\nb']) refused(checkName, name, 'host.word');
    for (const name of ['istio-proxy', 'root', '_apt', 'www.data', 'host$']) assert.equal(checkAccount(name), name);
    for (const name of ['', '-x', '0', 'a:b', 'a b', 'a$b', '.']) refused(checkAccount, name, 'host.word');
  });
});
