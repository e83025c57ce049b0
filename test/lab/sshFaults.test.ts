// A push that is broken at each of its processes in turn: by a kill, by a lost connection. What a machine then has is the old or the new set.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PushFile, PushRequest, VmHost } from '../../src/mesh/ports.ts';
import { changeHostKey, killSshd, type Heal } from './faults.ts';
import { codeOf, errorOf, OWNER, Person, SshTests } from './sshSupport.ts';

const STATE = '/var/lib/mesh-expansion';
const PROGRAMS = [
  'base64',
  'cat',
  'chmod',
  'chown',
  'cp',
  'flock',
  'head',
  'ln',
  'mkdir',
  'mv',
  'rm',
  'rmdir',
  'sha256sum',
  'stat',
  'sync',
];

const file = (path: string, text: string, owner: string, mode: number): PushFile => ({ path, content: text, owner, group: owner, mode });
/** A set, then another that changes two files, drops one, makes one in a new directory, and a directory. */
const one: PushRequest = {
  owner: OWNER,
  files: [
    file('/etc/dnsmasq.d/kubedns', '# one\n', 'root', 0o644),
    file('/etc/push/a.env', 'A=one\n', 'admin', 0o640),
    file('/etc/push/b.env', 'B=one\n', 'root', 0o644),
  ],
};
const two: PushRequest = {
  owner: OWNER,
  files: [
    file('/etc/dnsmasq.d/kubedns', '# two\n', 'root', 0o644),
    file('/etc/push/a.env', 'A=two\n', 'admin', 0o600),
    file('/etc/push/new/deep/c.env', 'C=two\n', 'admin', 0o644),
  ],
  directories: [{ path: '/etc/push/run', mode: 0o750, owner: 'admin', group: 'games' }],
  drop: ['/etc/push/b.env'],
};

describe('a push that is broken', function () {
  this.timeout(120_000);
  let tests: SshTests;
  let host: VmHost;
  const heals: Heal[] = [];

  before(async () => {
    tests = await SshTests.start();
  });
  beforeEach(async () => {
    host = await tests.open();
  });
  afterEach(async () => {
    for (const heal of heals.splice(0).reverse()) await heal();
    await unbreak();
    await tests.closeAll();
    await tests.root('vm-1', `rm -rf ${STATE} /etc/push /etc/dnsmasq.d/kubedns; cd /usr/local/bin && rm -f ${PROGRAMS.join(' ')}`);
  });
  after(() => tests.stop());

  const look = (): Promise<string> =>
    tests.root(
      'vm-1',
      `find /etc/dnsmasq.d /etc/push ! -name push -printf '%p %m %u %g %y %l\\n' 2>/dev/null | sort; find /etc/dnsmasq.d /etc/push -type f -exec sha256sum {} + 2>/dev/null | sort -k2`,
    );
  const left = (): Promise<string> =>
    tests.root('vm-1', `find / -xdev -name '.mesh-expansion*' 2>/dev/null; cd ${STATE} && ls journal dirs made 2>/dev/null || :`);

  /** Puts a program in front of each real one that has a script run by the n-th of them. */
  async function breakAt(n: number, script: string): Promise<void> {
    const wrapper = `#!/bin/sh
if [ -e /run/break-at ]; then
  n=$(($(/bin/cat /run/break-count 2>/dev/null || echo 0) + 1))
  echo $n >/run/break-count
  if [ $n = "$(/bin/cat /run/break-at)" ]; then
    ${script}
  fi
fi
exec "/bin/\${0##*/}" "$@"
`;
    await tests.lab.onMachine(
      'vm-1',
      [
        'sh',
        '-ec',
        `/bin/cat >/usr/local/bin/base64; /bin/chmod 755 /usr/local/bin/base64; cd /usr/local/bin
for name in ${PROGRAMS.join(' ')}; do [ $name = base64 ] || /bin/ln -f base64 $name; done; /bin/rm -f /run/break-count; echo ${n} >/run/break-at`,
      ],
      { input: wrapper },
    );
  }
  async function unbreak(): Promise<void> {
    await tests.root('vm-1', '/bin/rm -f /run/break-at /run/break-count');
  }

  /** A roll back, and away with the directories that stay until the machine leaves. */
  async function back(): Promise<void> {
    await host.rollback();
    await tests.root('vm-1', 'rm -rf /etc/push/new /etc/push/run');
  }

  it('by a kill -9 before any of its processes leaves the old or the new set, and nothing else', async () => {
    await host.push(one);
    const before = await look();
    await host.push(two);
    const after = await look();
    await back();
    assert.equal(await look(), before);
    const ends: string[] = [];
    for (let n = 1; ; n += 1) {
      await breakAt(n, "kill -9 -$(ps -o pgid= -p $PPID | tr -d ' ')");
      const whole = await host.push(two).then(
        () => true,
        () => false,
      );
      await unbreak();
      const { manifest } = await host.probe({ manifest: true });
      assert.equal(await look(), manifest?.generation === 2 ? after : before, `before process ${n}`);
      assert.equal(await left(), '', `before process ${n}`);
      if (whole) break;
      ends.push(manifest?.generation === 2 ? 'new' : 'old');
      if (manifest?.generation === 2) {
        await back();
        assert.equal(await look(), before, 'a completed push can be rolled back');
      }
      // What a broken push leaves there costs the next one a process more.
      await tests.root('vm-1', `rm -rf ${STATE}/generations/2`);
    }
    const text = ends.join(' ');
    assert.match(
      text,
      /^(old )+new new$/,
      'from the last rename on, the new set: before it is synced, and before what it needed is cleared away',
    );
    // Each costs the machine about a millisecond of a processor.
    assert.ok(ends.length <= 30, `${ends.length} processes`);
  });

  it('by a connection lost before any of its processes is made good over a new one', async () => {
    await host.push(one);
    const before = await look();
    await host.push(two);
    const after = await look();
    await back();
    let n = 1;
    for (; ; n += 1) {
      assert.equal(await look(), before);
      await breakAt(n, 'pkill -9 -f "^sshd: admin"');
      const answer = await host.push(two);
      const broken = await tests.root('vm-1', '/bin/cat /run/break-count');
      await unbreak();
      assert.deepEqual([answer.generation, answer.changed.length], [2, 4], `before process ${n}`);
      assert.equal(await look(), after);
      assert.equal(await left(), '');
      if (Number(broken) < n) break;
      await back();
    }
    assert.ok(n > 10, `${n} processes`);
  });

  it('taken back over a connection that is lost goes back one generation, not two', async () => {
    await host.push(one);
    const before = await look();
    for (const n of [12, 15]) {
      await host.push(two);
      await breakAt(n, 'pkill -9 -f "^sshd: admin"');
      assert.equal((await host.rollback()).generation, 1);
      assert.ok(Number(await tests.root('vm-1', '/bin/cat /run/break-count')) >= n);
      await unbreak();
      await tests.root('vm-1', 'rm -rf /etc/push/new /etc/push/run');
      assert.equal(await look(), before);
      assert.equal(await left(), '');
    }
  });

  it('by a connection lost in the middle of what is sent changes nothing, or all of it after reconnecting', async () => {
    await host.push(one);
    const large = { owner: OWNER, files: [file('/etc/push/a.env', 'é'.repeat(500_000), 'admin', 0o640), ...two.files.slice(0, 1)] };
    const pushed = host.push(large);
    await sleep(150);
    const heal = await killSshd(tests.lab, 'vm-1');
    await heal();
    assert.equal((await pushed).generation, 2);
    assert.equal(await tests.root('vm-1', 'stat -c %s /etc/push/a.env; cat /etc/dnsmasq.d/kubedns'), '1000000\n# two');
    assert.equal(await left(), '');
  });

  it('and whose machine comes back with another host key is not asked on; the machine has the old or the new set', async () => {
    const person = new Person({ acceptKey: true });
    host = await tests.open('vm-1', { prompter: person });
    await host.push(one);
    await host.push(two);
    const after = await look();
    await back();
    await breakAt(12, 'sleep 2');
    const pushed = errorOf(host.push(two));
    await sleep(1000);
    await tests.root('vm-1', 'systemctl stop ssh; pkill -9 -x sshd || :');
    heals.push(await changeHostKey(tests.lab, 'vm-1'));
    const refusal = await pushed;
    assert.equal(refusal.code, 'host.key-changed');
    assert.equal(refusal.kind, 'person');
    assert.notEqual(refusal.nextStep, undefined);
    assert.deepEqual(person.keyQuestions, []);
    await sleep(1500);
    assert.equal(await look(), after, 'what was sent whole is done whole');
    assert.equal(await left(), '');
  });

  it('by a machine that falls silent while it lets the new connection in goes on once it answers', async () => {
    await host.push(one);
    await tests.root('vm-1', "sed -i '1i account required pam_exec.so /bin/sleep 40' /etc/pam.d/sshd");
    heals.push(async () => {
      await tests.root('vm-1', "sed -i '/pam_exec.so .bin.sleep/d' /etc/pam.d/sshd");
    });
    const silent = await errorOf(tests.open());
    assert.equal(silent.code, 'host.unreachable');
    assert.match(JSON.stringify(silent.userMessage), /no answer to authentication in 30 s/);
    const lost = host.push(two);
    await tests.root('vm-1', "pkill -KILL -f '^sshd: admin' || :");
    await sleep(20_000);
    await tests.root('vm-1', "sed -i '/pam_exec.so .bin.sleep/d' /etc/pam.d/sshd");
    await lost;
    assert.match(await tests.root('vm-1', 'cat /etc/push/a.env'), /^A=two$/m);
  });

  it('because nothing can be written says so, and why', async () => {
    await host.push(one);
    const before = await look();
    await tests.root('vm-1', `mount --bind ${STATE} ${STATE} && mount -o remount,bind,ro ${STATE}`);
    heals.push(async () => {
      await tests.root('vm-1', `umount --lazy ${STATE} 2>/dev/null || :`);
    });
    assert.equal(await codeOf(host.push(two)), 'host.read-only');
    assert.equal(await look(), before);
  });
});
