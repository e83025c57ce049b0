// Commands, looking, units, packages: each asked through the core and asserted as root on the machine, past it.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PackageFile, VmHost } from '../../src/mesh/ports.ts';
import { createPackageFetcher } from '../../src/ssh/index.ts';
import { killSshd, linkDown, type Heal } from './faults.ts';
import { codeOf, errorOf, OWNER, SshTests } from './sshSupport.ts';
import { eventually } from './support/eventually.ts';
import { run } from './toolchain/run.ts';

const NOTHING = { paths: [], users: [], groups: [] };

describe('on a machine', function () {
  this.timeout(90_000);
  let tests: SshTests;
  let host: VmHost;
  const heals: Heal[] = [];
  const done = async (work: Promise<unknown>): Promise<void> => {
    await work;
  };
  const root = (script: string, ...args: string[]): Promise<string> => tests.root('vm-1', script, ...args);

  before(async () => {
    tests = await SshTests.start();
  });
  beforeEach(async () => {
    host = await tests.open();
  });
  afterEach(async () => {
    for (const heal of heals.splice(0).reverse()) await heal();
    await tests.closeAll();
    await root('systemctl stop "mesh-expansion-*" 2>/dev/null; rm -rf /var/lib/mesh-expansion');
  });
  after(() => tests.stop());

  describe('a command', () => {
    const words = [
      'plain',
      '',
      'a b',
      "it's",
      '"',
      '$(touch /tmp/pwned)',
      '`id`',
      '-n',
      '--',
      '*',
      '~',
      '\\',
      'new\nline',
      '\ttab',
      '!history',
      '; reboot',
      '|',
      '&',
      '<',
      '>',
      '#',
      'ünï',
      '{a,b}',
      '$HOME',
      '\u001b[31m',
    ];

    for (const asRoot of [false, true]) {
      it(`gets every word as it is${asRoot ? ', as root' : ''}`, async () => {
        const answer = await host.run({ argv: ['printf', '%s\\0', ...words], asRoot });
        assert.deepEqual(answer.stdout.split('\0').slice(0, -1), words);
        assert.equal(await root('test -e /tmp/pwned && echo there || echo absent'), 'absent');
        assert.equal((await host.run({ argv: ['id', '-u'], asRoot })).stdout, asRoot ? '0\n' : `${(await root('id -u admin')).trim()}\n`);
      });
    }

    it('answers with exit code, output and errors apart, and bytes by the megabyte', async () => {
      const answer = await host.run({ argv: ['sh', '-c', 'echo out; echo err >&2; exit 7'] });
      assert.deepEqual({ ...answer, durationMs: 0 }, { exitCode: 7, stdout: 'out\n', stderr: 'err\n', durationMs: 0, timedOut: false });
      assert.equal((await host.run({ argv: ['head', '-c', '3000000', '/dev/zero'] })).stdout.length, 3_000_000);
      assert.equal((await host.run({ argv: ['no-such-program'] })).exitCode, 127);
      assert.equal(await codeOf(host.run({ argv: ['-rf'] })), 'host.word');
      assert.equal(await codeOf(host.run({ argv: ['echo', 'a\0b'] })), 'host.word');
    });

    it('shows no word of itself to `ps` beside the program, nor to the log of sudo', async () => {
      const running = host.run({ argv: ['sleep', '2.25'], asRoot: true });
      await sleep(1000);
      const shells = await root("ps -eo args | grep -E '^(sudo|/bin/sh -c|setsid)' | grep -cF '2.25' || :");
      assert.equal(shells, '0');
      await running;
      assert.equal(await root("journalctl -q -b -t sudo -o cat | grep -cF '2.25' || :"), '0');
    });

    for (const asRoot of [false, true]) {
      it(`cancelled is gone within two seconds${asRoot ? ', as root' : ''}, however it resists`, async () => {
        const abort = new AbortController();
        const running = errorOf(
          host.run({ argv: ['sh', '-c', 'trap "" TERM HUP INT; sleep 987 & sleep 987; sleep 987'], asRoot }, { signal: abort.signal }),
        );
        await eventually('the programs', async () => (await root('pgrep -fxc "sleep 987" || :')) === '2');
        const start = Date.now();
        abort.abort();
        const refusal = await running;
        const took = Date.now() - start;
        assert.equal(refusal.code, 'cancelled');
        assert.equal(await root('pgrep -fc "[s]leep 987" || :'), '0');
        assert.equal((await host.run({ argv: ['echo', 'next'] })).stdout, 'next\n');
        assert.ok(took < 2000, `${took} ms`);
        // Half of it is what the program gets to end by itself; what others compute in that moment is no fault of it.
      }).retries(2);
    }

    it('that takes too long is stopped, with what it had said', async () => {
      const answer = await host.run({ argv: ['sh', '-c', 'echo started; sleep 986'], timeoutMs: 3000 });
      assert.deepEqual([answer.timedOut, answer.stdout], [true, 'started\n']);
      assert.equal(await root('pgrep -fc "[s]leep 986" || :'), '0');
    });

    it('over a dead link ends with host.lost, and the next one works when the link is back', async () => {
      const impatient = await tests.open('vm-1', {
        lines: ['Host *', '  ServerAliveInterval 1', '  ServerAliveCountMax 2', '  ConnectTimeout 2'],
      });
      const running = codeOf(impatient.run({ argv: ['sleep', '60'] }));
      await sleep(500);
      const heal = await linkDown(tests.lab, 'vm-1');
      assert.equal(await running, 'host.lost');
      await heal();
      assert.equal((await impatient.run({ argv: ['echo', 'back'] })).stdout, 'back\n');
    });
  });

  describe('a look', () => {
    it('answers all at once: facts, files, certificates, units, packages, programs', async () => {
      await root(`mkdir -p /etc/look && cd /etc/look && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj / -addext 'subjectAltName=critical,URI:spiffe://cluster.local/ns/vm/sa/default' -keyout key.pem -out cert.pem 2>/dev/null
        chmod 600 key.pem; echo text >text; ln -sf text link; ln -sf nowhere dangling; systemctl stop dnsmasq`);
      heals.push(() => done(root('rm -rf /etc/look; systemctl start dnsmasq')));
      const paths = ['cert.pem', 'key.pem', 'text', 'link', 'dangling', 'absent', ''].map((name) => `/etc/look/${name}`.replace(/\/$/, ''));
      const began = Date.now();
      const state = await host.probe({
        facts: true,
        units: ['ssh', 'dnsmasq', 'no-such'],
        packages: ['sudo', 'no-such'],
        programs: ['host', 'no-such'],
        files: paths.map((file) => ({ path: file, want: file.endsWith('.pem') ? 'certificate' : 'text' })),
        manifest: true,
      });
      const took = Date.now() - began;
      const pem = await root('cat /etc/look/cert.pem');
      const certificate = new X509Certificate(pem);
      const found = state.files[0]?.certificate;
      assert.deepEqual([found?.uris, found?.fingerprint], [['spiffe://cluster.local/ns/vm/sa/default'], certificate.fingerprint256]);
      assert.equal(
        found?.notAfter,
        new Date(
          await root('date -u -d "$(openssl x509 -in /etc/look/cert.pem -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ'),
        ).toISOString(),
      );
      const publicKey = createHash('sha256')
        .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
        .digest('hex')
        .toUpperCase()
        .match(/../g)
        ?.join(':');
      assert.deepEqual(
        [state.files[1]?.mode, state.files[1]?.certificate?.fingerprint, state.files[1]?.text],
        [0o600, publicKey, undefined],
      );
      assert.deepEqual(
        state.files.slice(2).map(({ exists, kind, text }) => [exists, kind, text]),
        [
          [true, 'file', 'text\n'],
          [true, 'link', 'text\n'],
          [true, 'link', undefined],
          [false, undefined, undefined],
          [true, 'directory', undefined],
        ],
      );
      assert.equal(JSON.stringify(state).includes('PRIVATE KEY'), false);
      assert.deepEqual(
        state.units.map(({ name, load, active }) => [name, load, active]),
        [
          ['ssh', 'loaded', 'active'],
          ['dnsmasq', 'loaded', 'inactive'],
          ['no-such', 'not-found', 'inactive'],
        ],
      );
      assert.equal(
        state.units[0]?.since,
        new Date(
          await root('TZ=UTC systemctl show -p ActiveEnterTimestamp --value ssh | cut -d" " -f2,3 | tr " " T | sed s/$/Z/'),
        ).toISOString(),
      );
      assert.deepEqual(state.packages, [
        { name: 'sudo', version: await root("dpkg-query -W -f '${Version}' sudo"), status: 'install ok installed' },
        { name: 'no-such' },
      ]);
      assert.deepEqual(state.programs, { host: true, 'no-such': false });
      assert.equal(state.manifest, undefined);
      const { facts } = state;
      assert.ok(facts);
      assert.deepEqual(
        [facts.hostname, facts.addresses, facts.loginUser, facts.sudo, facts.os.id],
        ['vm-1', [{ address: tests.lab.machine('vm-1').address, interface: 'eth0' }], 'admin', 'passwordless', 'debian'],
      );
      assert.equal(facts.hostnameAddress, '127.0.1.1');
      // It is half the time of the look out, as the clock is asked first.
      assert.ok(Math.abs(facts.clockOffsetSeconds) < 1 + took / 2000);
      assert.equal(await root('test -e /var/lib/mesh-expansion && echo there || echo absent'), 'absent', 'a look leaves nothing');
    });

    it('never sends a private key, whatever it was asked for', async () => {
      await root('cp /etc/ssh/ssh_host_rsa_key /etc/look-key && chmod 600 /etc/look-key');
      heals.push(() => done(root('rm -f /etc/look-key')));
      for (const want of ['text', 'certificate', 'hash'] as const) {
        const state = await host.probe({ files: [{ path: '/etc/look-key', want }] });
        assert.equal(JSON.stringify(state).includes('PRIVATE'), false);
        assert.equal(state.files[0]?.sha256, (await root('sha256sum /etc/look-key')).split(' ')[0]);
      }
    });

    it('reads the certificates of a machine that has no openssl, also of a file that holds the key too', async () => {
      await root(`mkdir -p /etc/look && cd /etc/look && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=both -keyout key.pem -out cert.pem 2>/dev/null
        cat key.pem cert.pem >both.pem; chmod 600 *.pem; mv /usr/bin/openssl /usr/bin/openssl.away`);
      heals.push(() => done(root('mv /usr/bin/openssl.away /usr/bin/openssl; rm -rf /etc/look')));
      const state = await host.probe({
        files: ['cert.pem', 'both.pem', 'key.pem'].map((name) => ({ path: `/etc/look/${name}`, want: 'certificate' })),
      });
      const fingerprint = new X509Certificate(await root('cat /etc/look/cert.pem')).fingerprint256;
      assert.deepEqual(
        state.files.map(({ certificate }) => certificate?.fingerprint),
        [fingerprint, fingerprint, undefined],
      );
    });

    it('reads what a token claims and never sends the token', async () => {
      // header.payload.signature of RFC 7519; the payload was written by hand: {"aud":["istio-ca"],"exp":1700000000,"sub":"system:serviceaccount:vm:mysql"}
      const payload = 'eyJhdWQiOlsiaXN0aW8tY2EiXSwiZXhwIjoxNzAwMDAwMDAwLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6dm06bXlzcWwifQ';
      await root(`mkdir -p /run/look && cd /run/look && printf %s 'eyJhbGciOiJSUzI1NiJ9.${payload}.c2lnbmF0dXJl' >token; chmod 600 token
        echo 'not a token' >garbage; printf 'a.%s.c' "$(printf '{}' | base64)" >empty; head -c 100 /dev/urandom >noise; : >nothing; printf 'a.%%%%.c' >strange`);
      heals.push(() => done(root('rm -rf /run/look')));
      const names = ['token', 'garbage', 'empty', 'noise', 'nothing', 'strange', 'absent'];
      const state = await host.probe({ files: names.map((name) => ({ path: `/run/look/${name}`, want: 'token' })) });
      assert.deepEqual(state.files[0]?.token, {
        subject: 'system:serviceaccount:vm:mysql',
        audiences: ['istio-ca'],
        expiresAt: '2023-11-14T22:13:20.000Z',
      });
      assert.deepEqual(
        state.files.slice(1).map(({ token, exists }) => [token, exists]),
        [...Array.from({ length: 5 }, () => [undefined, true]), [undefined, false]],
      );
      assert.equal(JSON.stringify(state).includes('c2lnbmF0dXJl'), false);
      assert.equal(JSON.stringify(state).includes(payload), false);
    });

    it('says which packages the system is made of', async () => {
      const { facts } = await host.probe({ facts: true });
      assert.deepEqual([facts?.os.packages, facts?.os.architecture], ['deb', await root('dpkg --print-architecture')]);
    });

    it("resolves names as the machine's own programs do", async () => {
      await root(
        'cp /etc/hosts /run/hosts; echo "10.1.2.3 gateway.look.example" >>/etc/hosts; echo "10.1.2.4 gateway.look.example" >>/etc/hosts',
      );
      heals.push(() => done(root('cat /run/hosts >/etc/hosts')));
      const { resolved } = await host.probe({ resolve: ['gateway.look.example', 'nowhere.invalid'] });
      assert.deepEqual(
        { ...resolved, 'gateway.look.example': [...(resolved?.['gateway.look.example'] ?? [])].sort() },
        { 'gateway.look.example': ['10.1.2.3', '10.1.2.4'], 'nowhere.invalid': [] },
      );
      assert.equal((await host.probe({ programs: [] })).resolved, undefined);
      assert.equal(await codeOf(host.probe({ resolve: ['-x'] })), 'host.word');
    });

    it('sees who holds port 53', async () => {
      const state = await host.probe({ facts: true });
      assert.ok(
        state.facts?.port53.some((listener) => listener.process === 'dnsmasq'),
        JSON.stringify(state.facts?.port53),
      );
    });

    it('comes back by itself after sshd was restarted', async () => {
      heals.push(await killSshd(tests.lab, 'vm-1'));
      assert.equal((await host.probe({ programs: ['sh'] })).programs.sh, true);
    });
  });

  describe('units', () => {
    async function unit(name: string, service: string): Promise<void> {
      await tests.lab.onMachine('vm-1', ['sh', '-c', 'cat >/etc/systemd/system/$1.service && systemctl daemon-reload', 'sh', name], {
        input: `[Service]\n${service}\n[Install]\nWantedBy=multi-user.target\n`,
      });
      heals.push(() =>
        done(
          root(
            'systemctl disable --now $1 2>/dev/null; rm -f /etc/systemd/system/$1.service; systemctl daemon-reload; systemctl reset-failed',
            name,
          ),
        ),
      );
    }

    it('are enabled and started, and a second time left alone; what they were is remembered', async () => {
      await unit('good', 'ExecStart=/bin/sleep 1000');
      const states = await host.setUnits({ enable: ['good'], start: ['good'], settleMs: 500 }, { owner: OWNER });
      assert.deepEqual(
        states.map(({ name, active, enabled }) => ({ name, active, enabled })),
        [{ name: 'good', active: 'active', enabled: 'enabled' }],
      );
      const pid = await root('systemctl show -p MainPID --value good');
      assert.equal(await root('systemctl is-enabled good'), 'enabled');
      await host.setUnits({ enable: ['good'], start: ['good'], settleMs: 500 }, { owner: OWNER });
      assert.equal(await root('systemctl show -p MainPID --value good'), pid);
      await host.setUnits({ restart: ['good'], settleMs: 500 });
      assert.notEqual(await root('systemctl show -p MainPID --value good'), pid);
      const { manifest } = await host.probe({ manifest: true });
      assert.deepEqual(manifest?.units, [{ name: 'good', enabledBefore: 'disabled', activeBefore: 'inactive' }]);
      const stopped = await host.setUnits({ stop: ['good'], disable: ['good'] });
      assert.deepEqual(
        stopped.map(({ active, enabled }) => ({ active, enabled })),
        [{ active: 'inactive', enabled: 'disabled' }],
      );
      assert.equal(
        await root(
          'ls /var/lib/mesh-expansion/jobs 2>/dev/null | wc -l; systemctl list-units --all --no-legend "mesh-expansion-*" | wc -l',
        ),
        '0\n0',
      );
    });

    it('that cut the connection which starts them are started all the same, and their state is told', async () => {
      await unit('cutter', "ExecStart=/bin/sh -c 'pkill -9 -x sshd; exec sleep 1000'");
      const states = await host.setUnits({ start: ['cutter'], settleMs: 1000 }, { owner: OWNER });
      assert.deepEqual(
        states.map(({ name, active }) => ({ name, active })),
        [{ name: 'cutter', active: 'active' }],
      );
      assert.equal(await root('ls /var/lib/mesh-expansion/jobs 2>/dev/null | wc -l'), '0');
    });

    it('whose start nobody could look at again leave nothing once the machine is as it was', async () => {
      await unit('cutter', 'ExecStart=/bin/sh -c \'pkill -9 -f "^sshd: admin"; exec sleep 1000\'');
      await root('echo "DenyUsers admin" >/etc/ssh/sshd_config.d/deny.conf; systemctl reload ssh');
      const allowAgain = (): Promise<void> => done(root('rm -f /etc/ssh/sshd_config.d/deny.conf; systemctl reload ssh'));
      heals.push(allowAgain);
      assert.equal(await codeOf(host.setUnits({ start: ['cutter'], settleMs: 200 }, { owner: OWNER })), 'host.auth-failed');
      assert.equal(await root('ls /var/lib/mesh-expansion/jobs | wc -l'), '1');
      await allowAgain();
      await host.removeCreated();
      assert.equal(
        await root('ls -d /var/lib/mesh-expansion 2>/dev/null || :; systemctl list-units --all --no-legend "mesh-expansion-*"'),
        '',
      );
    });

    it('in a restart loop are told with their last words', async () => {
      await unit(
        'loop',
        "ExecStart=/bin/sh -c 'echo key.pem is missing; sleep 0.2; exit 255'\nRestart=always\nRestartSec=0.1\nStartLimitIntervalSec=0",
      );
      const refusal = await errorOf(host.setUnits({ start: ['loop'], settleMs: 2000 }, { owner: OWNER }));
      assert.equal(refusal.code, 'host.unit');
      assert.equal(refusal.userMessage.args.unit, 'loop');
      assert.match(JSON.stringify(refusal.userMessage.args), /restart|auto|activating|active/);
      await unit('dead', "ExecStart=/bin/sh -c 'echo cannot load key pair; exit 255'\nRestart=always\nRestartSec=10");
      const dead = await errorOf(host.setUnits({ start: ['dead'], settleMs: 1000 }, { owner: OWNER }));
      assert.match(String(dead.userMessage.args.log), /cannot load key pair/);
      assert.equal(dead.userMessage.args.state, 'activating (auto-restart)');
    });

    it("whose wrapper's child opens a session: its words are told, and its end leaves nothing", async () => {
      await tests.lab.onMachine('vm-1', ['sh', '-c', 'cat >/usr/local/bin/wrapper && chmod 755 /usr/local/bin/wrapper'], {
        input: `#!/bin/sh\nsu -s /bin/sh -c 'echo the child has no certificate; sleep 0.3; [ -e /run/child-ends ] && exit 1; sleep 983' games\n`,
      });
      heals.push(() => done(root('rm -f /usr/local/bin/wrapper /run/child-ends; pkill -x -f "sleep 983" || :')));
      await unit('wrapped', 'ExecStart=/usr/local/bin/wrapper');
      // The child gets to its sleep when it gets there.
      const waiting = 'for i in $(seq 50); do pgrep -fxc "sleep 983" && exit; sleep 0.1; done';
      await host.setUnits({ start: ['wrapped'], settleMs: 500 }, { owner: OWNER });
      assert.equal((await root(waiting)).split('\n').at(-1), '1');
      assert.doesNotMatch(await root('cat /proc/$(pgrep -fx "sleep 983")/cgroup'), /wrapped/, 'it is in no cgroup of the unit');
      await host.setUnits({ restart: ['wrapped'], settleMs: 500 });
      assert.equal((await root(waiting)).split('\n').at(-1), '1');
      await host.setUnits({ stop: ['wrapped'] });
      assert.equal(await root('pgrep -fxc "sleep 983" || :'), '0');
      await root('touch /run/child-ends');
      const refusal = await errorOf(host.setUnits({ start: ['wrapped'], settleMs: 3000 }, { owner: OWNER }));
      assert.match(String(refusal.userMessage.args.log), /the child has no certificate/);
    });

    it('that do not exist are named', async () => {
      const refusal = await errorOf(host.setUnits({ start: ['no-such'] }, { owner: OWNER }));
      assert.deepEqual([refusal.code, refusal.userMessage.args.unit], ['host.unit', 'no-such']);
      assert.equal(await codeOf(host.setUnits({ start: ['-H'] })), 'host.word');
      assert.equal(await codeOf(host.setUnits({ start: ['a b;reboot'] })), 'host.word');
    });

    it('being changed can be cancelled', async () => {
      await unit('slow', 'Type=oneshot\nExecStart=/bin/sleep 985');
      const abort = new AbortController();
      const changing = codeOf(host.setUnits({ start: ['slow'] }, { owner: OWNER, signal: abort.signal }));
      await sleep(1500);
      abort.abort();
      assert.equal(await changing, 'cancelled');
      assert.equal(await root('ls /var/lib/mesh-expansion/jobs 2>/dev/null | wc -l; pgrep -fc "[s]ystemctl start" || :'), '0\n0');
    });
  });

  describe('a package', () => {
    async function deb(name: string, version: string, control: string, files: Record<string, string>): Promise<PackageFile> {
      const directory = path.join(tests.directory, `${name}-${version}`);
      const all = {
        'DEBIAN/control': `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: t <t@example.com>\nDescription: test\n${control}`,
        ...files,
      };
      for (const [file, text] of Object.entries(all)) {
        await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
        await writeFile(path.join(directory, file), text, { mode: /DEBIAN\/(post|pre)/.test(file) ? 0o755 : 0o644 });
      }
      await run(['dpkg-deb', '--root-owner-group', '-b', directory, `${directory}.deb`]);
      return createPackageFetcher().fetch({ kind: 'file', path: `${directory}.deb` });
    }
    const installed = (name: string): Promise<string> =>
      root('dpkg-query -W -f \'${Status} ${Version}\' "$1" 2>/dev/null || echo none', name);
    const creates = { paths: ['/etc/made', '/etc'], users: ['made'], groups: ['made', 'root'] };

    it('is installed once, remembered with what it makes, and taken away without a trace', async () => {
      const before = await root(
        "find /etc /usr /home -xdev \\( -name '*made*' -o -name 'mxt*' \\) ; getent passwd; getent group; stat -c %a /etc",
      );
      const file = await deb('mxt', '1.0', 'Depends: libc6\n', {
        'DEBIAN/postinst':
          '#!/bin/sh\nset -e\nadduser --system --group --no-create-home made >/dev/null 2>&1 || useradd -r -U made\nmkdir -p /etc/made/deep && echo $DEBIAN_FRONTEND >/etc/made/deep/frontend\nchown made /etc/made\n',
        'DEBIAN/conffiles': '/etc/mxt.conf\n',
        'etc/mxt.conf': 'default\n',
        'usr/share/mxt/file': 'data\n',
      });
      assert.deepEqual([file.name, file.version, file.architecture], ['mxt', '1.0', 'all']);
      assert.deepEqual(await host.installPackage(file, creates, { owner: OWNER }), {
        name: 'mxt',
        version: '1.0',
        status: 'install ok installed',
      });
      assert.equal(await installed('mxt'), 'install ok installed 1.0');
      assert.equal(
        await root('cat /etc/made/deep/frontend; stat -c "%U %a" /etc/made /usr/share/mxt/file'),
        'noninteractive\nmade 755\nroot 644',
      );
      await root('echo mine >/etc/mxt.conf');
      const time = await root('stat -c %Z /usr/share/mxt/file');
      await host.installPackage(file, creates, { owner: OWNER });
      assert.equal(await root('stat -c %Z /usr/share/mxt/file; cat /etc/mxt.conf'), `${time}\nmine`);
      const { manifest } = await host.probe({ manifest: true });
      assert.deepEqual(
        [manifest?.packages, manifest?.created],
        [[{ name: 'mxt', version: '1.0' }], { paths: ['/etc/made'], users: ['made'], groups: ['made'] }],
      );
      const states = await host.removePackages(['mxt', 'sudo']);
      assert.deepEqual(
        states.map(({ name, version }) => ({ name, there: version !== undefined })),
        [
          { name: 'mxt', there: false },
          { name: 'sudo', there: true },
        ],
      );
      await host.removeCreated();
      assert.equal(await installed('mxt'), 'none');
      assert.equal(
        await root("find /etc /usr /home -xdev \\( -name '*made*' -o -name 'mxt*' \\) ; getent passwd; getent group; stat -c %a /etc"),
        before,
      );
    });

    it('keeps the settings of the machine when it is upgraded', async () => {
      const conf = (text: string): Record<string, string> => ({ 'DEBIAN/conffiles': '/etc/mxt.conf\n', 'etc/mxt.conf': text });
      await host.installPackage(await deb('mxt', '1.0', '', conf('one\n')), NOTHING, { owner: OWNER });
      heals.push(() => done(root('dpkg --purge mxt')));
      await root('echo mine >/etc/mxt.conf');
      assert.equal((await host.installPackage(await deb('mxt', '2.0', '', conf('two\n')), NOTHING, { owner: OWNER })).version, '2.0');
      assert.equal(await root('cat /etc/mxt.conf'), 'mine');
    });

    it('that needs others is refused by name and leaves nothing', async () => {
      const refusal = await errorOf(
        host.installPackage(await deb('mxd', '1.0', 'Depends: libc6, no-such-thing (>= 2)\n', { 'usr/share/mxd/x': 'x' }), creates, {
          owner: OWNER,
        }),
      );
      assert.deepEqual([refusal.code, refusal.userMessage.id], ['host.package', 'ssh.package.depends']);
      assert.match(String(refusal.userMessage.args.text), /no-such-thing/);
      assert.equal(await installed('mxd'), 'none');
      assert.equal(
        await root('test -e /usr/share/mxd && echo there || echo absent; ls /var/lib/mesh-expansion 2>/dev/null | grep -c deb || :'),
        'absent\n0',
      );
      assert.deepEqual((await host.probe({ manifest: true })).manifest?.packages ?? [], []);
      assert.equal(await root('ls -A /var/lib/mesh-expansion 2>/dev/null || :'), '');
    });

    it('whose own script fails leaves nothing, and says why', async () => {
      const refusal = await errorOf(
        host.installPackage(
          await deb('mxf', '1.0', '', { 'DEBIAN/postinst': '#!/bin/sh\necho no user for me >&2\nexit 1\n', 'usr/share/mxf/x': 'x' }),
          NOTHING,
          { owner: OWNER },
        ),
      );
      assert.equal(refusal.code, 'host.package');
      assert.match(String(refusal.userMessage.args.text), /post-installation script subprocess returned error/);
      assert.equal(await installed('mxf'), 'none');
    });

    it('for another architecture or damaged on the way is refused', async () => {
      const good = await deb('mxa', '1.0', '', {});
      assert.equal(await codeOf(host.installPackage({ ...good, sha256: '0'.repeat(64) }, NOTHING, { owner: OWNER })), 'host.command');
      const other = await deb('mxb', '1.0', '', {
        'DEBIAN/control': 'Package: mxb\nVersion: 1.0\nArchitecture: armel\nMaintainer: t <t@example.com>\nDescription: test\n',
      });
      const refusal = await errorOf(host.installPackage(other, NOTHING, { owner: OWNER }));
      assert.match(String(refusal.userMessage.args.text), /architecture/);
      assert.equal(await installed('mxb'), 'none');
      assert.equal(await installed('mxa'), 'none');
    });

    it('cancelled half-way is not left half installed', async () => {
      const slow = await deb('mxs', '1.0', '', { 'DEBIAN/postinst': '#!/bin/sh\nsleep 984\n', 'usr/share/mxs/x': 'x' });
      const abort = new AbortController();
      const installing = codeOf(host.installPackage(slow, NOTHING, { owner: OWNER, signal: abort.signal }));
      for (let i = 0; i < 100 && (await root('pgrep -fc "[s]leep 984" || :')) === '0'; i += 1) await sleep(100);
      abort.abort();
      assert.equal(await installing, 'cancelled');
      assert.equal(await root('pgrep -fc "[s]leep 984" || :'), '0');
      assert.equal(await installed('mxs'), 'none');
      assert.equal(await root('dpkg --audit'), '');
    });

    it('of its own repositories, without a way out, is refused soon and by name; what is there already needs none', async () => {
      assert.deepEqual(
        (await host.installTools(['curl'], { owner: OWNER })).map(({ name }) => name),
        ['curl'],
      );
      const start = Date.now();
      const refusal = await errorOf(host.installTools(['curl', 'cowsay'], { owner: OWNER }));
      assert.deepEqual([refusal.code, refusal.userMessage.args.names], ['host.package', 'cowsay']);
      assert.ok(Date.now() - start < 60_000);
      assert.equal(await codeOf(host.installTools(['-o=x'], { owner: OWNER })), 'host.word');
    });

    it('comes from a URL or from istio.VERSION of a release site', async () => {
      const { router } = tests.lab.addresses;
      const fetcher = createPackageFetcher();
      const byUrl = await fetcher.fetch({ kind: 'url', url: `http://${router}:8000/1.0.3/deb/istio-sidecar.deb` });
      const versions = await tests.file(
        'istio.VERSION',
        `# a comment\nexport PILOT_DEBIAN_URL="http://${router}:8000/1.0.3/deb"\nexport ISTIO_NAMESPACE="istio-system"\n`,
      );
      const byVersion = await fetcher.fetch({ kind: 'istio.VERSION', path: versions });
      assert.deepEqual({ ...byVersion, bytes: 0 }, { ...byUrl, bytes: 0 });
      const local = await tests.file('sidecar.deb', '');
      await writeFile(local, byUrl.bytes);
      assert.equal(
        (await run(['dpkg-deb', '-f', local, 'Package', 'Version'])).stdout,
        `Package: ${byUrl.name}\nVersion: ${byUrl.version}\n`,
      );
      assert.equal((await run(['sha256sum', local])).stdout.split(' ')[0], byUrl.sha256);
      assert.equal(await codeOf(fetcher.fetch({ kind: 'url', url: `http://${router}:8000/1.0.3/deb/none.deb` })), 'package.download');
      const old = await tests.file(
        'old.VERSION',
        `export PILOT_DEBIAN_URL="http://${router}:8000/0.2.12/deb"\nexport PROXY_DEBIAN_URL="http://${router}:8000/0.2.12/deb"\n`,
      );
      assert.equal(await codeOf(fetcher.fetch({ kind: 'istio.VERSION', path: old })), 'package.unsupported');
      const trap = await tests.file('trap.VERSION', `export PILOT_DEBIAN_URL="$(touch ${tests.directory}/sourced)"\n`);
      assert.equal(await codeOf(fetcher.fetch({ kind: 'istio.VERSION', path: trap })), 'package.source');
      assert.equal(await readFile(path.join(tests.directory, 'sourced'), 'utf8').catch(() => 'absent'), 'absent');
    });
  });
});
