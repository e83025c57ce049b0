// A push of six files to 20 sshd on loopback addresses, beside one bare ssh2 exec per host and scp, in the same run. Needs root. Prints Markdown.
// Every sshd has a /var/lib and a home of root of its own (tmpfs, private mount namespace), as 20 machines have: so fsync costs nothing here, and what this
// machine's root has in its .bashrc, which bash runs for every ssh command, is not measured with each of them.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import ssh2 from 'ssh2';
import { cacheDirectory } from '../../scripts/node24.mjs';
import type { PushFile } from '../../src/mesh/ports.ts';
import { openHost } from '../../src/ssh/index.ts';
import { aptInstall } from '../lab/toolchain/apt.ts';
import { run } from '../lab/toolchain/run.ts';

/** How many sshd: MESH_BENCH_HOSTS, for what does not belong into every run. */
const HOSTS = Number(process.env.MESH_BENCH_HOSTS ?? 20);
/** Folder of ansible's programs (pip install ansible-core), where it is to be measured too. */
const ANSIBLE = process.env.MESH_BENCH_ANSIBLE;
const AT_ONCE = 10;
const ROUNDS = 3;
const TARGET = '/var/lib/bench';
const SIZE = 4096;

const directory = mkdtempSync(path.join(os.tmpdir(), 'bench-push-'));
const servers: ChildProcess[] = [];
const address = (host: number): string => `127.0.7.${host}`;
const hosts = Array.from({ length: HOSTS }, (_, index) => index + 1);

async function start(): Promise<void> {
  await aptInstall({ cacheDirectory, report: (line) => void process.stderr.write(`${line}\n`) }, ['openssh-server', 'openssh-client']);
  mkdirSync('/run/sshd', { recursive: true });
  for (const key of ['host', 'user']) await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path.join(directory, key)]);
  const options = (host: number): string[] =>
    Object.entries({
      HostKey: path.join(directory, 'host'),
      ListenAddress: `${address(host)}:2222`,
      PidFile: 'none',
      AuthorizedKeysFile: path.join(directory, 'user.pub'),
      StrictModes: 'no',
      UsePAM: 'no',
      MaxStartups: '1000',
      PermitRootLogin: 'yes',
      Subsystem: 'sftp internal-sftp',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  for (const host of hosts) {
    const script = `mount -t tmpfs bench /var/lib && mount -t tmpfs bench ~root && mkdir ${TARGET} && exec "$@"`;
    const argv = [
      '-m',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      '/usr/sbin/sshd',
      '-f',
      '/dev/null',
      '-D',
      '-e',
      ...options(host),
    ];
    servers.push(spawn('unshare', argv, { stdio: 'ignore' }));
  }
  const hostKey = (await run(['cut', '-d', ' ', '-f', '1,2', path.join(directory, 'host.pub')])).stdout.trim();
  writeFileSync(path.join(directory, 'known_hosts'), hosts.map((host) => `[${address(host)}]:2222 ${hostKey}\n`).join(''));
  writeFileSync(
    path.join(directory, 'config'),
    `Host *\n  User root\n  Port 2222\n  IdentityFile ${directory}/user\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${directory}/known_hosts\n  StrictHostKeyChecking yes\n  BatchMode yes\n`,
  );
  await Promise.all(hosts.map((host) => answers(address(host))));
}

async function answers(host: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(2222, host, () => resolve(true))
        .on('error', () => resolve(false))
        .on('close', () => resolve(false));
      setTimeout(() => socket.destroy(), 200);
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error(`sshd on ${host} does not answer`);
}

function files(round: number): PushFile[] {
  const content = `${round} `.repeat(SIZE).slice(0, SIZE);
  return ['kubedns', 'cluster.env', 'sidecar.env', 'key.pem', 'cert-chain.pem', 'root-cert.pem'].map((name) => ({
    path: `${TARGET}/etc/${name}`,
    mode: 0o600,
    owner: 'root',
    group: 'root',
    content: `${name} ${content}`,
  }));
}

async function eachHost(work: (host: number) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
  const limit = pLimit(atOnce);
  await Promise.all(hosts.map((host) => limit(() => work(host))));
}

async function ours(host: number, round: number): Promise<void> {
  const prompter = { confirmHostKey: () => Promise.resolve(false), secret: () => Promise.resolve(undefined), note: () => undefined };
  const opened = await openHost(address(host), { configFile: path.join(directory, 'config'), prompter });
  const owner = { vm: address(host), cluster: 'bench', era: 'citadel', release: '1.0.3' };
  const { changed } = await opened.push({ owner, files: files(round) });
  await opened.close();
  if (changed.length !== 6) throw new Error(`pushed ${changed.length} files`);
}

/** The least that an ssh2 client can do: one exec that unpacks a tar, no configuration, no lock, no undo. */
function bare(host: number, key: string, tar: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('error', reject);
    client.on('connect', () => client.setNoDelay(true));
    client.on('ready', () =>
      client.exec(`tar -xf - -C ${TARGET}`, (error, channel) => {
        if (error) {
          reject(error);
          return;
        }
        channel.on('close', () => {
          client.end();
          resolve();
        });
        channel.resume().end(tar);
      }),
    );
    client.connect({ host: address(host), port: 2222, username: 'root', privateKey: key });
  });
}

interface Measured {
  readonly name: string;
  readonly seconds: number;
  /** Milliseconds of a processor that this process took for each host: what is left where the machines have processors of their own. */
  readonly own: number;
}

async function measure(name: string, work: (round: number) => Promise<void>, rounds = ROUNDS): Promise<Measured> {
  const found: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const begin = { time: performance.now(), cpu: process.cpuUsage() };
    await work(round);
    const { user, system } = process.cpuUsage(begin.cpu);
    found.push({
      name,
      seconds: (performance.now() - begin.time) / 1000,
      own: (user + system) / 1000 / HOSTS,
    });
  }
  const median = found.sort((a, b) => a.seconds - b.seconds)[Math.floor(rounds / 2)];
  if (median === undefined) throw new Error('no rounds');
  return median;
}

try {
  await start();
  const local = path.join(directory, 'files');
  mkdirSync(local);
  for (const file of files(9))
    writeFileSync(path.join(local, path.basename(file.path)), typeof file.content === 'string' ? file.content : '');
  const names = files(0).map((file) => path.join(local, path.basename(file.path)));
  await run(['tar', '-C', local, '-cf', path.join(directory, 'files.tar'), '.']);
  const tar = readFileSync(path.join(directory, 'files.tar'));
  const key = readFileSync(path.join(directory, 'user'), 'utf8');
  const scp = async (host: number): Promise<void> => {
    await run(['scp', '-q', '-F', path.join(directory, 'config'), '--', ...names, `${address(host)}:${TARGET}/`]);
  };
  const guide = async (host: number): Promise<void> => {
    await scp(host);
    await run([
      'ssh',
      '-F',
      path.join(directory, 'config'),
      '--',
      address(host),
      `mkdir -p ${TARGET}/guide && cp ${TARGET}/*.pem ${TARGET}/*.env ${TARGET}/kubedns ${TARGET}/guide && chown -R root ${TARGET}/guide`,
    ]);
  };
  writeFileSync(path.join(directory, 'inventory'), hosts.map((host) => `${address(host)}\n`).join(''));
  const ansible = async (programs: string): Promise<void> => {
    const call = ['all', '-i', path.join(directory, 'inventory'), '-f', String(AT_ONCE), '-m', 'ansible.builtin.unarchive', '-a'];
    await run([path.join(programs, 'ansible'), ...call, `src=${path.join(directory, 'files.tar')} dest=${TARGET}`], {
      env: {
        ...process.env,
        ANSIBLE_SSH_ARGS: `-F ${directory}/config -o ControlMaster=auto -o ControlPersist=60s`,
        ANSIBLE_SSH_CONTROL_PATH_DIR: path.join(directory, 'cp'),
        ANSIBLE_LOCAL_TEMP: path.join(directory, 'ansible'),
        ANSIBLE_PIPELINING: 'True',
        ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
      },
    });
  };
  const rows = [
    await measure(`one bare ssh2 exec with a tar, ${AT_ONCE} at once`, () => eachHost((host) => bare(host, key, tar))),
    await measure(`push, connection included, ${AT_ONCE} at once`, (round) => eachHost((host) => ours(host, round))),
    await measure(`push that changes nothing, ${AT_ONCE} at once`, () => eachHost(unchanged)),
    await measure(`scp, ${AT_ONCE} at once`, () => eachHost(scp)),
    // Once: it takes longer than all the others together.
    await measure("the guide's scp and ssh, one after the other", () => eachHost(guide, 1), 1),
    ...(ANSIBLE === undefined
      ? []
      : [await measure(`ansible unarchive, forks ${AT_ONCE}, ControlPersist and pipelining, once`, () => ansible(ANSIBLE), 1)]),
  ];
  const first = rows[0]?.seconds ?? NaN;
  const table = rows
    .map(({ name, seconds, own }) => `| ${name} | ${seconds.toFixed(2)} | ${(seconds / first).toFixed(1)} | ${own.toFixed(1)} |`)
    .join('\n');
  process.stdout.write(
    `### Push of 6 files of 4 KB to ${HOSTS} sshd\n\nMedian of ${ROUNDS} (the guide's way: once), in seconds, and as a ratio to the first row; and for each host the milliseconds of a processor that this\nprogram itself took, its children not. All sshd run on the same processors.\n\n| what | s | ratio | ms |\n| --- | --- | --- | --- |\n${table}\n`,
  );
} finally {
  for (const server of servers) server.kill('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
}

async function unchanged(host: number): Promise<void> {
  const prompter = { confirmHostKey: () => Promise.resolve(false), secret: () => Promise.resolve(undefined), note: () => undefined };
  const opened = await openHost(address(host), { configFile: path.join(directory, 'config'), prompter });
  const owner = { vm: address(host), cluster: 'bench', era: 'citadel', release: '1.0.3' };
  const { changed } = await opened.push({ owner, files: files(ROUNDS - 1) });
  await opened.close();
  if (changed.length !== 0) throw new Error(`pushed ${changed.length} files`);
}
