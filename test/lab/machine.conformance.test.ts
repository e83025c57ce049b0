// The lab's machines, asked with ssh, host and dpkg: what an operator finds on them, and that each fault is one and heals.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Lab } from './env.ts';
import { labEnv } from './env.ts';
import {
  changeHostKey,
  dropTraffic,
  fillDisk,
  killSshd,
  linkDown,
  readOnly,
  reboot,
  restrictSudo,
  stopSshd,
  SUDO_PASSWORD,
} from './faults.ts';
import { eventually } from './support/eventually.ts';
import { run } from './toolchain/run.ts';

const QUICK = { timeout: 10_000, tolerant: true } as const;

describe("the lab's machines", function () {
  this.timeout(60_000);
  let lab: Lab;

  before(async () => {
    lab = await labEnv();
  });

  async function vm(...argv: string[]): Promise<string> {
    return (await lab.ssh('vm-1', argv)).stdout.trim();
  }

  async function reachable(): Promise<boolean> {
    return (await run(['ssh', '-F', lab.sshConfig, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=2', 'vm-1', 'true'], QUICK)).code === 0;
  }

  it('are Debian under systemd with what the guide wants, and nothing failed', async () => {
    assert.match(await vm('cat', '/etc/os-release'), /^ID=debian$/m);
    assert.equal(await vm('systemctl', 'is-system-running'), 'running');
    assert.equal(await vm('ps', '-o', 'comm=', '-p', '1'), 'systemd');
    const installed = (
      await vm(
        'dpkg-query',
        '-W',
        '-f',
        '${Package} ',
        'openssh-server',
        'sudo',
        'dnsmasq',
        'curl',
        'bind9-host',
        'iproute2',
        'iptables',
        'hostname',
      )
    ).split(' ');
    assert.equal(installed.length, 8);
  });

  it('let the login user in by key, as root by sudo without a password', async () => {
    assert.equal(await vm('id', '-un'), 'admin');
    assert.equal(await vm('sudo', '-n', 'id', '-u'), '0');
    assert.deepEqual((await lab.ssh('vm-1', ['printf', '%s|', 'a b', '$HOME', '\'"'])).stdout, 'a b|$HOME|\'"|');
    assert.equal(await vm('stat', '-c', '%U %a', '/etc/sudoers.d/admin'), 'root 440');
  });

  it("ask the network's name server, which knows the machines and nothing of the cluster", async () => {
    assert.match(await vm('host', '-W', '2', 'vm-2.lab.internal'), new RegExp(`has address ${lab.machine('vm-2').address}`));
    const pilot = await lab.ssh('vm-1', ['host', '-W', '2', 'istio-pilot.istio-system'], { tolerant: true });
    assert.match(pilot.stdout, /NXDOMAIN/);
    const unknown = await lab.ssh('vm-1', ['host', '-W', '2', 'vm-9.lab.internal'], { tolerant: true });
    assert.match(unknown.stdout, /NXDOMAIN/);
    assert.match(await vm('host', '-W', '2', 'vm-2.lab.internal', '127.0.0.1'), /has address/, 'dnsmasq runs');
  });

  it('reach each other and have no way out', async () => {
    assert.match(await vm('ping', '-c', '1', '-W', '2', lab.machine('vm-2').address), /1 received/);
    assert.notEqual((await lab.ssh('vm-1', ['curl', '-s', '--max-time', '2', 'http://192.0.2.1/'], { tolerant: true })).code, 0);
  });

  it('redirect with iptables, which the sidecar needs', async () => {
    await vm(
      'sudo',
      'iptables',
      '-t',
      'nat',
      '-A',
      'OUTPUT',
      '-p',
      'tcp',
      '-d',
      '10.96.9.9',
      '--dport',
      '1',
      '-j',
      'REDIRECT',
      '--to-ports',
      '22',
    );
    const banner = await lab.ssh('vm-1', ['curl', '-s', '--http0.9', '--max-time', '5', 'http://10.96.9.9:1/'], { tolerant: true });
    assert.match(banner.stdout, /^SSH-2\.0-OpenSSH/);
    await vm('sudo', 'iptables', '-t', 'nat', '-F', 'OUTPUT');
  });

  it('show their file system here, and keep it over a reboot', async () => {
    await writeFile(path.join(lab.machine('vm-1').root, 'home/admin/from-outside'), 'seen');
    assert.equal(await vm('cat', 'from-outside'), 'seen');
    const before = await vm('cat', '/etc/machine-id');
    const booted = await vm('stat', '-c', '%Y', '/proc/1');
    await reboot(lab, 'vm-1');
    assert.equal(await vm('cat', 'from-outside'), 'seen');
    assert.equal(await vm('cat', '/etc/machine-id'), before);
    assert.notEqual(await vm('stat', '-c', '%Y', '/proc/1'), booted);
    assert.equal(await vm('systemctl', 'is-system-running', '--wait'), 'running');
  });

  it('fault: cable pulled', async () => {
    const heal = await linkDown(lab, 'vm-1');
    assert.equal(await reachable(), false);
    await heal();
    await eventually('a login', reachable);
  });

  it('fault: packets to a port dropped, out and in', async () => {
    const pod = lab.addresses.pods.productpage;
    const get = () => lab.ssh('vm-1', ['curl', '-s', '--max-time', '2', '-o', '/dev/null', `http://${pod}:9080/`], { tolerant: true });
    const healOut = await dropTraffic(lab, 'vm-1', { port: 9080 });
    assert.equal((await get()).code, 28);
    await healOut();
    assert.equal((await get()).code, 0);
    const healIn = await dropTraffic(lab, 'vm-1', { port: 22, direction: 'in' });
    assert.equal(await reachable(), false);
    assert.equal((await lab.onMachine('vm-1', ['systemctl', 'is-active', 'ssh'])).stdout.trim(), 'active');
    await healIn();
    await eventually('a login', reachable);
  });

  it('fault: sshd killed with its sessions, or stopped', async () => {
    const session = run(['ssh', '-F', lab.sshConfig, '-o', 'BatchMode=yes', 'vm-1', 'echo in; sleep 30'], {
      tolerant: true,
      timeout: 20_000,
    });
    await new Promise((resolve) => setTimeout(resolve, 700));
    const heal = await killSshd(lab, 'vm-1');
    assert.equal((await session).code, 255);
    await heal();
    await eventually('a login', reachable);
    const start = await stopSshd(lab, 'vm-1');
    assert.equal(await reachable(), false);
    await start();
    await eventually('a login', reachable);
  });

  it('fault: another host key, which ssh refuses', async () => {
    const heal = await changeHostKey(lab, 'vm-1');
    const refused = await run(['ssh', '-F', lab.sshConfig, '-o', 'BatchMode=yes', 'vm-1', 'true'], QUICK);
    assert.match(refused.stderr, /REMOTE HOST IDENTIFICATION HAS CHANGED/);
    await heal();
    await eventually('a login', reachable);
  });

  it('fault: sudo refused, or only with a password', async () => {
    const healRefused = await restrictSudo(lab, 'vm-1', 'refused');
    assert.match(
      (await lab.ssh('vm-1', ['sudo', '-n', 'true'], { tolerant: true })).stderr,
      /password is required|not allowed|not in the sudoers/,
    );
    await healRefused();
    const heal = await restrictSudo(lab, 'vm-1', 'password');
    assert.match((await lab.ssh('vm-1', ['sudo', '-n', 'true'], { tolerant: true })).stderr, /a password is required/);
    const wrong = await lab.ssh('vm-1', ['sudo', '-S', '-k', 'true'], { input: 'nonsense\n', tolerant: true });
    assert.notEqual(wrong.code, 0);
    assert.equal((await lab.ssh('vm-1', ['sudo', '-S', '-k', 'id', '-u'], { input: `${SUDO_PASSWORD}\n` })).stdout.trim(), '0');
    await heal();
    assert.equal(await vm('sudo', '-n', 'id', '-u'), '0');
  });

  it('fault: a full disk, a read-only one', async () => {
    const full = await fillDisk(lab, 'vm-1', '/etc/dnsmasq.d');
    const write = () => lab.ssh('vm-1', ['sudo', 'sh', '-c', 'head -c 5000 /dev/zero >/etc/dnsmasq.d/new'], { tolerant: true });
    assert.match((await write()).stderr, /No space left on device/);
    assert.match(await vm('ls', '/etc/dnsmasq.d'), /README/);
    await full();
    const fixed = await readOnly(lab, 'vm-1', '/etc/dnsmasq.d');
    assert.match((await write()).stderr, /Read-only file system/);
    await fixed();
    assert.equal((await write()).code, 0);
  });

  it("leave the user's own ssh files alone", async () => {
    const own = path.join(os.homedir(), '.ssh', 'known_hosts');
    assert.doesNotMatch(await readFile(own, 'utf8').catch(() => ''), new RegExp(lab.machine('vm-1').address.replaceAll('.', '\\.')));
  });
});
