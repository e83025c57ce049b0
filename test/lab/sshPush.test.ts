// A push is all or nothing: files, faults, kills and cuts on a real machine, asserted with stat, sha256sum and find as root.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PushFile, PushRequest, PushResult, VmHost } from '../../src/mesh/ports.ts';
import { Secret } from '../../src/mesh/secret.ts';
import { fillDisk, killSshd, linkDown, readOnly, type Heal } from './faults.ts';
import { codeOf, errorOf, OWNER, SshTests } from './sshSupport.ts';
import { eventually } from './support/eventually.ts';

const STATE = '/var/lib/mesh-expansion';
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** Six files in three directories, one of them missing before. */
function fileSet(text: string): PushFile[] {
  const file = (path: string, owner: string, mode: number, content: PushFile['content']): PushFile => ({
    path,
    owner,
    group: owner,
    mode,
    content,
  });
  return [
    file('/etc/dnsmasq.d/kubedns', 'root', 0o644, `address=/istio-pilot/10.0.0.1 ${text}\n`),
    file('/etc/push/sidecar.env', 'admin', 0o644, `A=${text}\n`),
    file('/etc/push/cluster.env', 'admin', 0o640, `B=${text}\n`),
    file('/etc/push/certs/key.pem', 'admin', 0o600, new Secret(`key ${text}`)),
    file('/etc/push/certs/cert-chain.pem', 'admin', 0o644, Buffer.from([0, 1, 10, 255, ...Buffer.from(text)])),
    file('/etc/push/certs/root-cert.pem', 'admin', 0o644, ''),
  ];
}

describe('a push', function () {
  this.timeout(90_000);
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
    await tests.closeAll();
    await tests.root('vm-1', `rm -rf ${STATE} /etc/push /etc/dnsmasq.d/kubedns /usr/local/bin/mv /usr/local/bin/sync /usr/local/bin/chown`);
  });
  after(() => tests.stop());

  const request = (text: string, more: Partial<PushRequest> = {}): PushRequest => ({ owner: OWNER, files: fileSet(text), ...more });
  /** What an outsider sees: path, mode, owner, group, inode, mtime (not of directories) and hash of everything that a push may touch. */
  const snapshot = (): Promise<string> =>
    tests.root(
      'vm-1',
      `for d in /etc/dnsmasq.d /etc/push; do [ ! -e $d ] || find $d -type d -printf '%p %m %u %g %i\\n' -o -printf '%p %m %u %g %i %T@ %y\\n'; done | sort; find /etc/dnsmasq.d /etc/push -type f -exec sha256sum {} + 2>/dev/null | sort -k2`,
    );
  /** The content alone: for what may be put back as another inode. */
  const contents = (): Promise<string> =>
    tests.root(
      'vm-1',
      `find /etc/dnsmasq.d /etc/push ! -name push -printf '%p %m %u %g %y\\n' 2>/dev/null | sort; find /etc/dnsmasq.d /etc/push -type f -exec sha256sum {} + 2>/dev/null | sort -k2`,
    );
  const waiting = (): Promise<string> =>
    tests.root(
      'vm-1',
      `find / -xdev -name '.mesh-expansion*' 2>/dev/null; ls ${STATE}/journal ${STATE}/dirs ${STATE}/made 2>/dev/null || :`,
    );

  it('installs six files with owner, mode and content, and nothing else', async () => {
    const answer = await host.push(request('one'));
    assert.deepEqual(answer, { changed: fileSet('one').map((file) => file.path), unchanged: [], generation: 1 });
    const listed = await tests.root(
      'vm-1',
      "stat -c '%n %a %U %G %h' /etc/dnsmasq.d/kubedns /etc/push/*.env /etc/push/certs/*; stat -c '%n %a %U' /etc/push /etc/push/certs /var/lib/mesh-expansion",
    );
    assert.equal(
      listed,
      [
        '/etc/dnsmasq.d/kubedns 644 root root 1',
        '/etc/push/cluster.env 640 admin admin 1',
        '/etc/push/sidecar.env 644 admin admin 1',
        '/etc/push/certs/cert-chain.pem 644 admin admin 1',
        '/etc/push/certs/key.pem 600 admin admin 1',
        '/etc/push/certs/root-cert.pem 644 admin admin 1',
        '/etc/push 755 root',
        '/etc/push/certs 755 root',
        '/var/lib/mesh-expansion 700 root',
      ].join('\n'),
    );
    assert.equal(await tests.root('vm-1', 'cat /etc/push/certs/key.pem'), 'key one');
    assert.match(
      await tests.root('vm-1', 'sha256sum /etc/push/certs/cert-chain.pem'),
      new RegExp(`^${sha(Buffer.from([0, 1, 10, 255, ...Buffer.from('one')]))} `),
    );
    assert.equal(await waiting(), '');
    assert.equal(await tests.root('vm-1', `grep -c 'key one' ${STATE}/manifest.json || :`), '0', 'no secret in the manifest');
    const { manifest } = await host.probe({ manifest: true });
    assert.ok(manifest);
    assert.deepEqual(
      manifest.files.map(({ path, original }) => ({ path, original })),
      fileSet('one').map(({ path }) => ({ path, original: 'absent' })),
    );
    assert.deepEqual(manifest.created.paths, ['/etc/push', '/etc/push/certs']);
  });

  it('makes directories with owner and mode, puts its own right again, and leaves those of the machine', async () => {
    await tests.root('vm-1', 'mkdir -m 711 /etc/pushed-before; ln -s /etc/push-real /etc/push-link; mkdir /etc/push-real');
    heals.push(async () => {
      await tests.root('vm-1', 'rm -rf /etc/pushed-before /etc/push-link /etc/push-real /run/push-run');
    });
    const directories = [
      ...['/etc/push/proxy/deep', '/run/push-run/tokens', '/etc/pushed-before', '/etc/push-link/below'].map((path) => ({
        path,
        mode: 0o750,
        owner: 'admin',
        group: 'games',
      })),
      { path: '/etc/push/proxy', mode: 0o2755, owner: 'games', group: 'games' },
    ];
    const listed = (): Promise<string> =>
      tests.root(
        'vm-1',
        "stat -c '%n %a %U %G' /etc/push /etc/push/proxy /etc/push/proxy/deep /run/push-run /run/push-run/tokens /etc/pushed-before /etc/push-real/below 2>&1",
      );
    const wanted = [
      '/etc/push 755 root root',
      '/etc/push/proxy 2755 games games',
      '/etc/push/proxy/deep 750 admin games',
      '/run/push-run 755 root root',
      '/run/push-run/tokens 750 admin games',
      '/etc/pushed-before 711 root root',
      '/etc/push-real/below 750 admin games',
    ].join('\n');
    const files = [{ path: '/run/push-run/tokens/token', mode: 0o600, owner: 'admin', group: 'games', content: 'one' }];
    const push = (): Promise<PushResult> => host.push({ owner: OWNER, files, directories });
    assert.equal((await push()).generation, 1);
    assert.equal(await listed(), wanted);
    const { manifest } = await host.probe({ manifest: true });
    assert.deepEqual([...(manifest?.created.paths ?? [])].sort(), [
      '/etc/push',
      '/etc/push-real/below',
      '/etc/push/proxy',
      '/etc/push/proxy/deep',
      '/run/push-run',
      '/run/push-run/tokens',
    ]);
    assert.equal((await push()).generation, 1, 'a second time changes nothing');
    // As after a reboot, and after somebody's chown.
    await tests.root('vm-1', 'rm -rf /run/push-run; chown root:root /etc/push/proxy; chmod 700 /etc/push/proxy/deep');
    assert.deepEqual((await push()).changed, ['/run/push-run/tokens/token']);
    assert.equal(await listed(), wanted);
    assert.equal(
      await codeOf(
        host.push({ owner: OWNER, files, directories: [{ path: '/etc/push/nobody', mode: 0o755, owner: 'no-such', group: 'games' }] }),
      ),
      'host.owner',
    );
    assert.equal(await tests.root('vm-1', 'ls -d /etc/push/nobody 2>/dev/null || echo absent'), 'absent');
    assert.equal(
      await codeOf(host.push({ owner: OWNER, files, directories: [{ path: '/etc/passwd', mode: 0o755, owner: 'root', group: 'root' }] })),
      'host.path-unsafe',
    );
    await host.restoreOriginals();
    await host.removeCreated();
    assert.equal(
      await tests.root('vm-1', 'ls -d /etc/push /run/push-run /etc/push-real/below 2>/dev/null || :; stat -c %a /etc/pushed-before'),
      '711',
    );
    assert.equal(await waiting(), '');
  });

  it('a second time touches nothing: same inodes, times and generation', async () => {
    await host.push(request('one'));
    const before = `${await snapshot()}\n${await tests.root('vm-1', `find ${STATE} -printf '%p %i %T@\\n' | grep -v lock | sort`)}`;
    await sleep(1100);
    assert.deepEqual(await host.push(request('one')), { changed: [], unchanged: fileSet('one').map((file) => file.path), generation: 1 });
    assert.equal(`${await snapshot()}\n${await tests.root('vm-1', `find ${STATE} -printf '%p %i %T@\\n' | grep -v lock | sort`)}`, before);
    const one = fileSet('one').map((file) => (file.path.endsWith('cluster.env') ? { ...file, content: 'B=two\n' } : file));
    assert.deepEqual((await host.push({ owner: OWNER, files: one })).changed, ['/etc/push/cluster.env']);
  });

  it('takes hostile names and values as they are', async () => {
    const names = ["it's", '-rf', '$(touch trap)', '`id`', 'a b', 'back\\slash', 'ünï', '*', '; reboot', 'a"b'];
    const content = "'$(touch /etc/push/trap)'\n`id`\n\\n\0\r\n!!";
    await host.push({
      owner: OWNER,
      files: names.map((name) => ({ path: `/etc/push/${name}`, mode: 0o600, owner: 'root', group: 'root', content })),
    });
    const found = await tests.root('vm-1', 'cd /etc/push && for f in ./*; do printf "%s|" "$f"; sha256sum <"$f"; done');
    assert.deepEqual(found.split('\n').sort(), names.map((name) => `./${name}|${sha(content)}  -`).sort());
    assert.deepEqual(
      (
        await host.push({
          owner: OWNER,
          files: names.map((name) => ({ path: `/etc/push/${name}`, mode: 0o600, owner: 'root', group: 'root', content })),
        })
      ).changed,
      [],
    );
    for (const path of ['etc/push/x', '/etc/push/../x', '/etc/push/a\nb', '/', '/etc//x', '/etc/x/']) {
      assert.equal(
        await codeOf(host.push({ owner: OWNER, files: [{ path, mode: 0o600, owner: 'root', group: 'root', content }] })),
        'host.path',
        path,
      );
    }
    for (const owner of ['-x', 'a:b', '$(id)', '']) {
      assert.equal(
        await codeOf(host.push({ owner: OWNER, files: [{ path: '/etc/push/x', mode: 0o600, owner, group: 'root', content }] })),
        'host.word',
        owner,
      );
    }
  });

  it('stops at drift, names the file, and changes nothing', async () => {
    await host.push(request('one'));
    await tests.root('vm-1', 'echo edited >>/etc/push/sidecar.env');
    const before = await snapshot();
    const files = fileSet('two').map((file, index) => ({
      ...file,
      expect: sha(typeof fileSet('one')[index]?.content === 'string' ? String(fileSet('one')[index]?.content) : 'x'),
    }));
    const refusal = await errorOf(host.push({ owner: OWNER, files: files.slice(0, 3) }));
    assert.equal(refusal.code, 'host.drift');
    assert.equal(refusal.kind, 'person');
    assert.equal(refusal.userMessage.args.path, '/etc/push/sidecar.env');
    assert.equal(await codeOf(host.push({ owner: OWNER, files: [{ ...fileSet('two')[0]!, expect: 'absent' }] })), 'host.drift');
    assert.equal(await snapshot(), before);
  });

  it('refuses a user that the machine does not have, and leaves a fresh machine as it was', async () => {
    const before = await snapshot();
    const files = fileSet('one').map((file) => (file.path.endsWith('key.pem') ? { ...file, owner: 'istio-proxy' } : file));
    const refusal = await errorOf(host.push({ owner: OWNER, files }));
    assert.equal(refusal.code, 'host.owner');
    assert.match(String(refusal.userMessage.args.text), /istio-proxy/);
    assert.equal(await snapshot(), before);
    assert.equal(await tests.root('vm-1', `test -e ${STATE} && echo there || echo absent`), 'absent');
  });

  for (const [what, directory] of [
    ['the target', '/etc/push/certs'],
    ['the state directory', STATE],
  ] as const) {
    it(`on a full disk of ${what} changes nothing`, async () => {
      await host.push(request('one'));
      const before = await contents();
      heals.push(await fillDisk(tests.lab, 'vm-1', directory));
      const refusal = await errorOf(host.push({ owner: OWNER, files: fileSet('two'.repeat(20_000)) }));
      assert.equal(refusal.code, 'host.disk-full', JSON.stringify(refusal.userMessage));
      for (const heal of heals.splice(0)) await heal();
      assert.equal(await contents(), before);
      assert.equal((await host.push(request('two'))).generation, 2);
    });
  }

  it('on a read-only directory changes nothing', async () => {
    await host.push(request('one'));
    const before = await snapshot();
    heals.push(await readOnly(tests.lab, 'vm-1', '/etc/push/certs'));
    assert.equal(await codeOf(host.push(request('two'))), 'host.read-only');
    assert.equal(await snapshot(), before);
    for (const heal of heals.splice(0)) await heal();
    assert.equal((await host.push(request('two'))).generation, 2);
  });

  // Five files that differ and the manifest: killed just before the n-th rename, the files of the set are a mixture until the next contact.
  for (let n = 1; n <= 6; n += 1) {
    it(`killed before rename ${n} is undone at the next contact`, async () => {
      await host.push(request('one'));
      const before = await snapshot();
      await killBeforeRename(n);
      await assert.rejects(host.push(request('two')));
      await tests.root('vm-1', 'rm -f /usr/local/bin/mv /run/renames');
      assert.notEqual(await waiting(), '', 'the journal is there');
      if (n > 1) assert.notEqual(await snapshot(), before, 'a mixture, so that the repair is what the test sees');
      const { manifest } = await host.probe({ manifest: true });
      assert.equal(manifest?.generation, 1);
      assert.equal(await snapshot(), before, 'the very inodes are back');
      assert.equal(await waiting(), '');
      assert.equal((await host.push(request('two'))).generation, 2);
    });
  }

  it('killed after its last rename is complete, and the next contact leaves it so', async () => {
    await host.push(request('one'));
    await fake(
      'sync',
      `if [ -e ${STATE}/journal ] && [ ! -e ${STATE}/.mesh-expansion/manifest.json ]; then kill -9 -$(ps -o pgid= -p $PPID | tr -d ' '); fi`,
    );
    await assert.rejects(host.push(request('two')));
    await tests.root('vm-1', 'rm -f /usr/local/bin/sync');
    assert.notEqual(await waiting(), '', 'the journal is there');
    assert.equal((await host.probe({ manifest: true })).manifest?.generation, 2);
    assert.equal(await tests.root('vm-1', 'cat /etc/push/cluster.env /etc/push/certs/key.pem'), 'B=two\nkey two');
    assert.equal(await waiting(), '');
    assert.deepEqual((await host.push(request('two'))).changed, []);
    assert.equal((await host.rollback()).generation, 1);
    assert.equal(await tests.root('vm-1', 'cat /etc/push/cluster.env /etc/push/certs/key.pem'), 'B=one\nkey one');
  });

  it('whose first push is killed leaves a fresh machine as it was', async () => {
    const before = await contents();
    await killBeforeRename(5);
    await assert.rejects(host.push(request('one')));
    await tests.root('vm-1', 'rm -f /usr/local/bin/mv /run/renames');
    assert.equal((await host.probe({ manifest: true })).manifest, undefined);
    assert.equal(await contents(), before);
    assert.equal(await tests.root('vm-1', 'test -e /etc/push && echo there || echo absent'), 'absent');
  });

  it('cut off by a lost connection is whole, and its result is told after reconnecting', async () => {
    await host.push(request('one'));
    await fake('sync', 'sleep 2.25');
    const pushed = host.push(request('two'));
    await inProgram('sleep 2.25');
    const heal = await killSshd(tests.lab, 'vm-1');
    await tests.root('vm-1', 'rm -f /usr/local/bin/sync');
    await heal();
    const answer = await pushed;
    assert.deepEqual(answer, {
      changed: fileSet('two')
        .map((file) => file.path)
        .filter((path) => !path.endsWith('root-cert.pem')),
      unchanged: ['/etc/push/certs/root-cert.pem'],
      generation: 2,
    });
    assert.equal(await tests.root('vm-1', 'cat /etc/push/cluster.env /etc/push/certs/key.pem'), 'B=two\nkey two');
    assert.equal(await waiting(), '');
  });

  it('over a dead link ends with host.lost and the old or the new set', async () => {
    host = await tests.open('vm-1', { lines: ['Host *', '  ServerAliveInterval 1', '  ServerAliveCountMax 2', '  ConnectTimeout 2'] });
    await host.push(request('one'));
    await fake('sync', 'sleep 1');
    const pushed = codeOf(host.push(request('two')));
    await sleep(1200);
    heals.push(await linkDown(tests.lab, 'vm-1'));
    assert.match(await pushed, /^host\.(lost|unreachable)$/);
    for (const heal of heals.splice(0)) await heal();
    await tests.root('vm-1', 'rm -f /usr/local/bin/sync');
    const generation = (await host.probe({ manifest: true })).manifest?.generation;
    const text = generation === 2 ? 'two' : 'one';
    assert.equal(await tests.root('vm-1', 'cat /etc/push/cluster.env /etc/push/certs/key.pem'), `B=${text}\nkey ${text}`);
  });

  it('cancelled is gone within two seconds and says which files are there', async () => {
    await host.push(request('one'));
    const before = await contents();
    await fake('sync', 'sleep 30');
    const abort = new AbortController();
    const pushed = errorOf(host.push(request('two'), { signal: abort.signal }));
    await inProgram('sleep 30');
    const start = Date.now();
    abort.abort();
    const refusal = await pushed;
    const took = Date.now() - start;
    assert.equal(refusal.code, 'cancelled');
    assert.equal(refusal.userMessage.id, 'ssh.cancelled.push-old');
    await tests.root('vm-1', 'rm -f /usr/local/bin/sync');
    assert.equal(await tests.root('vm-1', 'pgrep -fc "[s]leep 30" || :'), '0');
    assert.equal(await contents(), before);
    assert.equal(await waiting(), '');
    assert.ok(took < 2500, `${took} ms`);
    // What others compute in that moment is no fault of it.
  }).retries(2);

  it('at the same time as another is one after the other', async () => {
    const other = await tests.open();
    await Promise.all([host.push(request('one')), other.push(request('two'))]);
    const text = (await tests.root('vm-1', 'cat /etc/push/cluster.env')).replace('B=', '');
    assert.equal(await tests.root('vm-1', 'cat /etc/push/certs/key.pem'), `key ${text}`);
    assert.equal((await host.probe({ manifest: true })).manifest?.generation, 2);
  });

  it("follows root's links on the way, replaces a link in the file's place, and distrusts a link that somebody else made", async () => {
    await tests.root(
      'vm-1',
      'mkdir -p /etc/push/real && ln -s real /etc/push/link && echo old >/etc/push/there && ln -s there /etc/push/name',
    );
    const file = (path: string): PushFile => ({ path, mode: 0o644, owner: 'root', group: 'root', content: 'new\n' });
    await host.push({ owner: OWNER, files: [file('/etc/push/link/x'), file('/etc/push/name')] });
    assert.equal(
      await tests.root('vm-1', 'stat -c "%n %F" /etc/push/real/x /etc/push/name /etc/push/link; cat /etc/push/there'),
      '/etc/push/real/x regular file\n/etc/push/name regular file\n/etc/push/link symbolic link\nold',
    );
    await host.restoreOriginals();
    assert.equal(await tests.root('vm-1', 'readlink /etc/push/name; ls /etc/push/real'), 'there');
    assert.equal(
      await codeOf(host.push({ owner: OWNER, files: [file('/etc/push/link/x'), file('/etc/push/real/x')] })),
      'host.path-unsafe',
    );
    await tests.root(
      'vm-1',
      'mkdir /etc/push/theirs && chown admin /etc/push/theirs && su admin -s /bin/sh -c "ln -s /etc /etc/push/theirs/sub"',
    );
    assert.equal(await codeOf(host.push({ owner: OWNER, files: [file('/etc/push/theirs/sub/evil')] })), 'host.path-unsafe');
    assert.equal(await codeOf(host.push({ owner: OWNER, files: [file('/etc/push/real')] })), 'host.path-unsafe');
    assert.equal(await tests.root('vm-1', 'test -e /etc/evil && echo there || echo absent'), 'absent');
  });

  it('into a directory of somebody else cannot be led elsewhere while it runs', async () => {
    await tests.root('vm-1', 'mkdir -p /etc/push/theirs /etc/push/target && chown admin /etc/push/theirs');
    await fake(
      'chown',
      'case $PWD in */theirs/*) cd .. && su admin -s /bin/sh -c "mv .mesh-expansion stolen && ln -s ../target .mesh-expansion" && cd stolen;; esac',
    );
    const files = [{ path: '/etc/push/theirs/x', mode: 0o644, owner: 'admin', group: 'admin', content: 'mine\n' }];
    assert.equal(await codeOf(host.push({ owner: OWNER, files })), 'host.path-unsafe');
    await tests.root('vm-1', 'rm -f /usr/local/bin/chown');
    assert.equal(
      await tests.root('vm-1', 'ls -A /etc/push/target; ls -A /etc/push/theirs; stat -c "%U %a" /etc/push/theirs/stolen'),
      'stolen\nroot 700',
    );
    await host.push({ owner: OWNER, files });
    assert.equal(await tests.root('vm-1', 'cat /etc/push/theirs/x'), 'mine');
  });

  it('can be rolled back, generation by generation', async () => {
    await host.push(request('one'));
    await host.push(request('two'));
    await host.push({ owner: OWNER, files: fileSet('three').slice(0, 2), drop: ['/etc/push/cluster.env'] });
    assert.equal(await tests.root('vm-1', 'cat /etc/push/sidecar.env; test -e /etc/push/cluster.env || echo dropped'), 'A=three\ndropped');
    assert.equal((await host.rollback()).generation, 2);
    assert.equal(await tests.root('vm-1', 'cat /etc/push/sidecar.env /etc/push/cluster.env'), 'A=two\nB=two');
    assert.equal((await host.rollback()).generation, 1);
    assert.equal(
      await tests.root('vm-1', 'cat /etc/push/sidecar.env /etc/push/cluster.env; stat -c "%a %U" /etc/push/certs/key.pem'),
      'A=one\nB=one\n600 admin',
    );
    assert.equal((await host.rollback()).generation, 0);
    assert.equal(await tests.root('vm-1', 'find /etc/push -type f | wc -l'), '0');
    assert.equal(await codeOf(host.rollback()), 'host.nothing');
  });

  it('is taken back completely: originals, directories, and every trace', async () => {
    await tests.root(
      'vm-1',
      'mkdir /etc/push && echo mine >/etc/push/sidecar.env && chown admin:admin /etc/push/sidecar.env && chmod 604 /etc/push/sidecar.env && touch -d "2001-02-03 04:05:06" /etc/push/sidecar.env',
    );
    const look = (): Promise<string> =>
      tests.root(
        'vm-1',
        "find /etc -xdev ! -name push ! -path /etc ! -path /etc/dnsmasq.d -printf '%p %m %u %g %s %T@\\n' | sort; ls -A /var/lib",
      );
    const before = await look();
    await host.push(request('one'));
    await host.push(request('two'));
    assert.equal(await codeOf(host.removeCreated()), 'host.command', 'not while files are in place');
    assert.deepEqual((await host.restoreOriginals()).changed.length, 6);
    assert.equal(await tests.root('vm-1', 'cat /etc/push/sidecar.env'), 'mine');
    await host.removeCreated();
    assert.equal(await look(), before);
    await host.restoreOriginals();
    await host.removeCreated();
  });

  /** Has the shell of the next push killed just before its n-th rename: the renames of one `mv` are done one by one. */
  async function killBeforeRename(n: number): Promise<void> {
    await fake(
      'mv',
      `if [ "$2" = -t ]; then
  shift 4
  for name do
    n=$(($(cat /run/renames 2>/dev/null || echo 0) + 1))
    echo $n >/run/renames
    [ $n != ${n} ] || kill -9 -$(ps -o pgid= -p $PPID | tr -d ' ')
    /bin/mv -f -t .. -- "$name" || exit
  done
  exit 0
fi`,
    );
  }

  /** Waits until this is running on the machine. */
  async function inProgram(line: string): Promise<void> {
    await eventually(line, async () => (await tests.root('vm-1', `pgrep -fxc "${line}" || :`)) !== '0');
  }

  /** Puts a program in front of the real one: it runs the script first. */
  async function fake(name: string, script: string): Promise<void> {
    await tests.lab.onMachine('vm-1', ['sh', '-c', `cat >/usr/local/bin/${name} && chmod 755 /usr/local/bin/${name}`], {
      input: `#!/bin/sh\n${script}\nexec /bin/${name} "$@"\n`,
    });
  }
});
