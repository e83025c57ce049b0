// The way in: host keys, login, jump hosts, options, sudo; asserted on real sshd machines with OpenSSH's own programs and the machine's log.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { memoryTrustStore } from '../../src/ssh/hostKey.ts';
import { openHost } from '../../src/ssh/index.ts';
import { cutProxy } from './cutProxy.ts';
import { changeHostKey, dropTraffic, restrictSudo, stopSshd, SUDO_PASSWORD, type Heal } from './faults.ts';
import { codeOf, errorOf, Person, SshTests } from './sshSupport.ts';
import { run } from './toolchain/run.ts';

describe('the way into a machine', function () {
  this.timeout(60_000);
  let tests: SshTests;
  const heals: Heal[] = [];

  before(async () => {
    tests = await SshTests.start();
  });
  afterEach(async () => {
    await tests.closeAll();
    for (const heal of heals.splice(0).reverse()) await heal();
  });
  after(() => tests.stop());

  async function whoami(alias: string, options?: Parameters<SshTests['open']>[1]): Promise<string> {
    const host = await tests.open(alias, options);
    return (await host.run({ argv: ['id', '-un'] })).stdout.trim();
  }

  async function publicKey(machine: string, type: string): Promise<string> {
    return (await tests.root(machine, 'cut -d" " -f1,2 /etc/ssh/ssh_host_$1_key.pub', type)).trim();
  }

  describe('host keys', () => {
    const UNKNOWN = ['Host *', '  UserKnownHostsFile /dev/null', '  StrictHostKeyChecking ask'];

    it('asks about an unknown key with the fingerprint of ssh-keygen, after hanging up, and remembers the answer in its own store', async () => {
      const printed = await tests.root('vm-1', 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d" " -f2');
      let open = 'not asked';
      const person = new Person({
        acceptKey: true,
        meanwhile: async () => void (open = await tests.root('vm-1', "ss -Htn state established '( sport = :22 )'")),
      });
      const trustStore = memoryTrustStore();
      const known = await readFile(tests.lab.knownHosts, 'utf8');
      assert.equal(await whoami('vm-1', { lines: UNKNOWN, prompter: person, trustStore }), tests.lab.sshUser);
      assert.deepEqual(person.keyQuestions, [
        { host: 'vm-1', address: tests.lab.machine('vm-1').address, keyType: 'ssh-ed25519', fingerprint: printed },
      ]);
      assert.equal(open, '', 'no connection while the person thinks');
      assert.equal(await readFile(tests.lab.knownHosts, 'utf8'), known);
      const again = new Person();
      assert.equal(await whoami('vm-1', { lines: UNKNOWN, prompter: again, trustStore }), tests.lab.sshUser);
      assert.equal(again.keyQuestions.length, 0);
    });

    it('does not log in where the person says no, or where the configuration says that nobody is to be asked', async () => {
      const before = await tests.logins('vm-1');
      const refusal = await errorOf(tests.open('vm-1', { lines: UNKNOWN }));
      assert.equal(refusal.code, 'host.key-unknown');
      assert.equal(refusal.kind, 'person');
      const strict = new Person({ acceptKey: true });
      assert.equal(
        await codeOf(
          tests.open('vm-1', { lines: ['Host *', '  UserKnownHostsFile /dev/null', '  StrictHostKeyChecking yes'], prompter: strict }),
        ),
        'host.key-unknown',
      );
      assert.equal(strict.keyQuestions.length, 0);
      assert.equal(await tests.logins('vm-1'), before);
    });

    it('accepts a new key without a question where StrictHostKeyChecking is accept-new, and says so', async () => {
      const person = new Person();
      assert.equal(
        await whoami('vm-1', {
          lines: ['Host *', '  UserKnownHostsFile /dev/null', '  StrictHostKeyChecking accept-new'],
          prompter: person,
        }),
        tests.lab.sshUser,
      );
      assert.deepEqual(person.keyQuestions, []);
      assert.deepEqual(
        person.notes.map((note) => note.id),
        ['ssh.note.key-accepted'],
      );
    });

    it('refuses a changed key without a question and before any login, also with StrictHostKeyChecking no', async () => {
      heals.push(await changeHostKey(tests.lab, 'vm-1'));
      const before = await tests.logins('vm-1');
      for (const strict of ['ask', 'no']) {
        const person = new Person({ acceptKey: true });
        const refusal = await errorOf(tests.open('vm-1', { lines: ['Host *', `  StrictHostKeyChecking ${strict}`], prompter: person }));
        assert.equal(refusal.code, 'host.key-changed');
        assert.equal(
          refusal.userMessage.args.fingerprint,
          await tests.root('vm-1', 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d" " -f2'),
        );
        assert.equal(person.keyQuestions.length, 0);
      }
      assert.equal(await tests.logins('vm-1'), before);
    });

    it('refuses a revoked key, although the same key is known', async () => {
      const key = await publicKey('vm-1', 'ed25519');
      const file = await tests.file('revoked', `${tests.lab.machine('vm-1').address} ${key}\n@revoked * ${key}\n`);
      const person = new Person({ acceptKey: true });
      assert.equal(
        await codeOf(tests.open('vm-1', { lines: ['Host *', `  UserKnownHostsFile ${file}`], prompter: person })),
        'host.key-revoked',
      );
      assert.equal(person.keyQuestions.length, 0);
    });

    it('names a certificate authority, which it cannot honour', async () => {
      const file = await tests.file('authority', `@cert-authority * ${await publicKey('vm-2', 'ed25519')}\n`);
      const refusal = await errorOf(
        tests.open('vm-1', { lines: ['Host *', `  UserKnownHostsFile ${file}`, '  StrictHostKeyChecking ask'] }),
      );
      assert.equal(refusal.code, 'host.option-unsupported');
      assert.equal(refusal.userMessage.args.option, '@cert-authority');
    });

    it('asks the server for the type that is known, in a hashed file beside another one', async () => {
      const file = await tests.file('hashed', `${tests.lab.machine('vm-1').address} ${await publicKey('vm-1', 'ecdsa')}\n`);
      await run(['ssh-keygen', '-q', '-H', '-f', file]);
      assert.match(await readFile(file, 'utf8'), /^\|1\|/);
      const person = new Person();
      assert.equal(
        await whoami('vm-1', { lines: ['Host *', `  UserKnownHostsFile /dev/null ${file}`], prompter: person }),
        tests.lab.sshUser,
      );
      assert.equal(person.keyQuestions.length, 0);
    });
  });

  describe('login', () => {
    async function newKey(name: string, passphrase: string, ...options: string[]): Promise<string> {
      const file = path.join(tests.directory, name);
      await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', passphrase, '-f', file, ...options]);
      await tests.root('vm-1', 'cat >>/home/admin/.ssh/authorized_keys <<E\n$1\nE', (await readFile(`${file}.pub`, 'utf8')).trim());
      return file;
    }
    const only = (file: string): string[] => ['Host *', `  IdentityFile ${file}`, '  IdentityAgent none'];

    it('opens a key with its passphrase, asked again when wrong, and remembers nothing of it in what it shows', async () => {
      const file = await newKey('locked', 'open sesame');
      const person = new Person({ answers: ['wrong', 'open sesame'] });
      assert.equal(await whoami('vm-1', { lines: ['Host vm-1', ...only(file)], prompter: person }), tests.lab.sshUser);
      assert.deepEqual(
        person.questions.map(({ kind, prompt, echo }) => ({ kind, prompt, echo })),
        Array(2).fill({ kind: 'passphrase', prompt: file, echo: false }),
      );
    });

    it('opens an old-format key that has no public half beside it', async () => {
      const file = path.join(tests.directory, 'pem');
      await run(['ssh-keygen', '-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'old one', '-f', file]);
      await tests.root('vm-1', 'cat >>/home/admin/.ssh/authorized_keys <<E\n$1\nE', (await readFile(`${file}.pub`, 'utf8')).trim());
      await run(['rm', `${file}.pub`]);
      const person = new Person({ answers: ['old one'] });
      assert.equal(
        await whoami('vm-1', { lines: ['Match all', `  IdentityFile ${file}`, '  IdentityAgent none'], prompter: person }),
        tests.lab.sshUser,
      );
    });

    it('does not ask for the passphrase of a key that the machine does not want', async () => {
      const file = path.join(tests.directory, 'unwanted');
      await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', 'never asked', '-f', file]);
      const person = new Person({ answers: ['never asked'] });
      const config = await tests.file(
        'unwanted-config',
        `Host vm-1\n  HostName ${tests.lab.machine('vm-1').address}\n  User admin\n  IdentityFile ${file}\n  IdentityAgent none\n  PreferredAuthentications publickey\n  UserKnownHostsFile ${tests.lab.knownHosts}\n`,
      );
      const refusal = await errorOf(openHost('vm-1', { configFile: config, prompter: person }));
      assert.equal(refusal.code, 'host.auth-failed');
      assert.equal(refusal.kind, 'person');
      assert.deepEqual(person.questions, []);
    });

    it('uses the agent, and with IdentitiesOnly only the keys that are named', async () => {
      const file = await newKey('in-agent', '');
      const socket = path.join(tests.directory, 'agent');
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      heals.push(() => Promise.resolve(void agent.kill()));
      for (let i = 0; i < 50 && (await run(['test', '-S', socket], { tolerant: true })).code !== 0; i += 1)
        await new Promise((resolve) => setTimeout(resolve, 50));
      await run(['ssh-add', '-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
      await run(['rm', file]);
      const head = `Host vm-1\n  HostName ${tests.lab.machine('vm-1').address}\n  User admin\n  UserKnownHostsFile ${tests.lab.knownHosts}\n  PreferredAuthentications publickey\n  IdentityAgent ${socket}\n`;
      const through = async (name: string, more: string): Promise<string> => {
        const host = await openHost('vm-1', { configFile: await tests.file(name, `${head}${more}`), prompter: new Person() });
        const answer = await host.run({ argv: ['id', '-un'] });
        await host.close();
        return answer.stdout.trim();
      };
      assert.equal(await through('agent-any', '  IdentityFile none\n'), 'admin');
      assert.equal(await through('agent-named', `  IdentitiesOnly yes\n  IdentityFile ${file}.pub\n`), 'admin');
      assert.equal(
        await codeOf(through('agent-other', `  IdentitiesOnly yes\n  IdentityFile ${tests.directory}/nothing\n`)),
        'host.auth-failed',
      );
    });

    it('takes a password, asked again when wrong', async () => {
      heals.push(await restrictSudo(tests.lab, 'vm-1', 'password'));
      const person = new Person({ answers: ['wrong', SUDO_PASSWORD] });
      assert.equal(await whoami('vm-1', { lines: ['Host *', '  PreferredAuthentications password'], prompter: person }), 'admin');
      assert.deepEqual(
        person.questions.map((question) => question.kind),
        ['password', 'password'],
      );
      const nobody = await errorOf(tests.open('vm-1', { lines: ['Host *', '  PreferredAuthentications password'] }));
      assert.equal(nobody.code, 'host.auth-failed');
    });

    it('answers the questions of keyboard-interactive, asked again when wrong', async () => {
      heals.push(await restrictSudo(tests.lab, 'vm-1', 'password'));
      await tests.root('vm-1', 'echo "KbdInteractiveAuthentication yes" >/etc/ssh/sshd_config.d/interactive.conf; systemctl restart ssh');
      heals.push(async () => {
        await tests.root('vm-1', 'rm /etc/ssh/sshd_config.d/interactive.conf; systemctl restart ssh');
      });
      const lines = ['Host *', '  PreferredAuthentications keyboard-interactive'];
      const person = new Person({ answers: ['wrong', SUDO_PASSWORD] });
      assert.equal(await whoami('vm-1', { lines, prompter: person }), 'admin');
      assert.deepEqual(
        person.questions.map(({ kind, prompt, echo }) => [kind, prompt.trim(), echo]),
        [
          ['interactive', 'Password:', false],
          ['interactive', 'Password:', false],
        ],
      );
      assert.match(
        await tests.root('vm-1', 'journalctl -q -b -t sshd -o cat | grep "^Accepted" | tail -n 1'),
        /^Accepted keyboard-interactive\/pam for admin /,
      );
      const nobody = await errorOf(tests.open('vm-1', { lines }));
      assert.equal(nobody.code, 'host.auth-failed');
    });

    it('reaches a machine through another, each with its own host key', async () => {
      const host = await tests.open('vm-2', { lines: ['Host vm-2', '  ProxyJump vm-1'] });
      const origin = await host.run({ argv: ['printenv', 'SSH_CONNECTION'] });
      assert.equal(origin.stdout.split(' ')[0], tests.lab.machine('vm-1').address);
      const hop = ['Host vm-2', '  ProxyJump vm-1', 'Host vm-1', '  UserKnownHostsFile /dev/null', '  StrictHostKeyChecking ask'];
      const person = new Person();
      assert.equal(await codeOf(tests.open('vm-2', { lines: hop, prompter: person })), 'host.key-unknown');
      assert.deepEqual(
        person.keyQuestions.map((question) => question.host),
        ['vm-1'],
      );
    });
  });

  describe('what cannot be honoured', () => {
    for (const [keyword, line] of [
      ['proxycommand', 'ProxyCommand nc %h %p'],
      ['preferredauthentications', 'PreferredAuthentications gssapi-with-mic'],
      ['pkcs11provider', 'PKCS11Provider /usr/lib/x.so'],
      ['hostkeyalgorithms', 'HostKeyAlgorithms sk-ssh-ed25519@openssh.com'],
    ]) {
      it(`is named and refused: ${line ?? ''}`, async () => {
        const before = await tests.logins('vm-1');
        const refusal = await errorOf(tests.open('vm-1', { lines: ['Host *', `  ${line ?? ''}`] }));
        assert.equal(refusal.code, 'host.option-unsupported');
        assert.equal(refusal.userMessage.args.option, keyword);
        assert.equal(await tests.logins('vm-1'), before);
      });
    }

    it('is named and left undone where the way in is the same', async () => {
      const person = new Person();
      assert.equal(
        await whoami('vm-1', { lines: ['Host *', '  ForwardAgent yes', '  LocalForward 127.0.0.1:9999 127.0.0.1:1'], prompter: person }),
        'admin',
      );
      assert.deepEqual(person.notes.map((note) => note.args.option).sort(), ['forwardagent', 'localforward']);
    });

    it('is a name that is an option, or holds shell or path characters: nothing is run', async () => {
      const trap = path.join(tests.directory, 'trap');
      for (const alias of [
        `-oProxyCommand=touch ${trap}`,
        '-G',
        `vm-1;touch ${trap}`,
        '$(id)',
        'a/b',
        '../vm-1',
        'vm-1\nvm-2',
        'vm 1',
        'user@-oProxyCommand=x',
        '',
      ]) {
        assert.equal(await codeOf(tests.open(alias)), 'host.name', alias);
      }
      assert.match(
        await codeOf(tests.open('vm-2', { lines: ['Host vm-2', `  ProxyJump -oProxyCommand=touch${trap}`] })),
        /^host\.(name|config)$/,
      );
      assert.notEqual((await run(['test', '-e', trap], { tolerant: true })).code, 0);
    });
  });

  it('says that a machine cannot be reached, soon', async () => {
    heals.push(await stopSshd(tests.lab, 'vm-1'));
    assert.equal(await codeOf(tests.open('vm-1')), 'host.unreachable');
    heals.push(await dropTraffic(tests.lab, 'vm-2', { port: 22, direction: 'in' }));
    const start = Date.now();
    assert.equal(await codeOf(tests.open('vm-2', { lines: ['Host *', '  ConnectTimeout 2'] })), 'host.unreachable');
    assert.ok(Date.now() - start < 5000);
  });

  it('takes a login that is cut off, at whichever packet, for a machine that cannot be reached, never for a refusal', async () => {
    const cutAt = async (packets: number, how: 'reset' | 'end'): Promise<string> => {
      await using proxy = await cutProxy(tests.lab.machine('vm-1').address, packets, how);
      const lines = ['Host vm-1', '  HostName 127.0.0.1', `  Port ${proxy.port}`, `  HostKeyAlias ${tests.lab.machine('vm-1').address}`];
      const refusal = await errorOf(tests.open('vm-1', { lines })).catch(() => undefined);
      assert.equal(refusal !== undefined, proxy.cut);
      return refusal === undefined ? 'in' : `${refusal.code} ${refusal.userMessage.id}`;
    };
    for (const how of ['reset', 'end'] as const) {
      const answers = [];
      for (let packets = 0; answers.at(-1) !== 'in'; packets += 1) answers.push(await cutAt(packets, how));
      assert.match(
        [how, ...answers].join(', '),
        /^(reset|end), (host\.unreachable ssh\.unreachable, )+(host\.unreachable ssh\.unreachable\.login, )+in$/,
      );
    }
  });

  it('gives up connecting when cancelled', async () => {
    heals.push(await dropTraffic(tests.lab, 'vm-2', { port: 22, direction: 'in' }));
    const configFile = await tests.config();
    const start = Date.now();
    assert.equal(
      await codeOf(openHost('vm-2', { configFile, prompter: new Person(), options: { signal: AbortSignal.timeout(500) } })),
      'cancelled',
    );
    assert.ok(Date.now() - start < 2500);
  });

  describe('sudo', () => {
    it('with a password asks once, again when wrong, and keeps it for the next command', async () => {
      heals.push(await restrictSudo(tests.lab, 'vm-1', 'password'));
      const person = new Person({ answers: ['wrong', SUDO_PASSWORD] });
      const host = await tests.open('vm-1', { prompter: person });
      assert.equal((await host.probe({ facts: true })).facts?.sudo, 'password');
      assert.equal((await host.run({ argv: ['id', '-u'], asRoot: true })).stdout, '0\n');
      assert.equal((await host.run({ argv: ['id', '-u'], asRoot: true })).stdout, '0\n');
      assert.deepEqual(
        person.questions.map((question) => question.kind),
        ['sudo', 'sudo'],
      );
      const seen = await tests.root('vm-1', `journalctl -q -b -o cat | grep -cF 'correct horse' || :`);
      assert.equal(seen, '0', 'the password is in no log of the machine');
    });

    it('without an answer, or with wrong ones only, needs a person', async () => {
      heals.push(await restrictSudo(tests.lab, 'vm-1', 'password'));
      for (const answers of [[], ['a', 'b', 'c']]) {
        const host = await tests.open('vm-1', { prompter: new Person({ answers }) });
        const refusal = await errorOf(host.run({ argv: ['id', '-u'], asRoot: true }));
        assert.equal(refusal.code, 'host.sudo-password');
        assert.equal(refusal.kind, 'person');
      }
    });

    it("refused: sudo's own words and a next step", async () => {
      heals.push(await restrictSudo(tests.lab, 'vm-1', 'password'));
      heals.push(await restrictSudo(tests.lab, 'vm-1', 'refused'));
      const host = await tests.open('vm-1', { prompter: new Person({ answers: [SUDO_PASSWORD] }) });
      const refusal = await errorOf(host.push({ owner: { vm: 'vm-1', cluster: 'lab', era: 'citadel', release: '1.0.3' }, files: [] }));
      assert.equal(refusal.code, 'host.sudo-refused');
      assert.match(String(refusal.userMessage.args.text), /admin is not in the sudoers file/);
      assert.equal(refusal.nextStep?.id, 'ssh.sudo-refused.next');
      assert.equal(await tests.root('vm-1', 'test -e /var/lib/mesh-expansion && echo there || echo absent'), 'absent');
    });
  });
});
