// Starts the cluster's processes in their namespace and cgroup, detached from whoever runs `up`, and waits until they serve.
import { spawn } from 'node:child_process';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup, makeGroup, members } from './cgroups.ts';
import { labPaths, namespaceFile, networkNamespace } from './names.ts';
import { addBridgeAddress } from './network.ts';
import type { ManagedProcess, Readiness } from './process.ts';

const CLUSTER_GROUP = 'cluster';

export function processGroup(name: string): string {
  return `${CLUSTER_GROUP}/${name}`;
}

/** Starts the process unless it runs already with the same argv and env; resolves when it is ready. True when it was started. Throws, with the end of its log, when it does not get ready. */
export async function ensureProcess(lab: string, wanted: ManagedProcess, limit = 60_000): Promise<boolean> {
  const paths = labPaths(lab);
  const record = path.join(paths.processes, `${wanted.name}.json`);
  const description = JSON.stringify({ argv: wanted.argv, env: wanted.env ?? {} });
  const running = (await members(lab, processGroup(wanted.name))).length > 0;
  if (running && (await readFile(record, 'utf8').catch(() => '')) === description) {
    // It may have been on its way out when it was looked for.
    if (!wanted.ready || (await becomesReady(lab, wanted, wanted.ready, limit))) return false;
  }
  await endGroup(lab, processGroup(wanted.name), running ? 5_000 : 0);
  await mkdir(paths.logs, { recursive: true });
  await mkdir(paths.processes, { recursive: true });
  if (wanted.address) await addBridgeAddress(lab, wanted.address);
  const log = path.join(paths.logs, `${wanted.name}.log`);
  await launch(lab, wanted, log);
  await writeFile(record, description, { mode: 0o600 });
  if (wanted.ready && !(await becomesReady(lab, wanted, wanted.ready, limit))) {
    const ended = await endedProcesses(lab);
    const others = ended.filter((name) => name !== wanted.name);
    const what = ended.includes(wanted.name) ? 'has ended' : `is not ready after ${limit / 1000} s`;
    const logs = await Promise.all([...others, wanted.name].map((name) => endOfLog(lab, name)));
    throw new Error([`${wanted.name} ${what}${others.length === 0 ? '' : `; ${others.join(', ')} had ended before`}.`, ...logs].join('\n'));
  }
  return true;
}

/** Names of what was started and does not run: often why something else is not ready. */
async function endedProcesses(lab: string): Promise<string[]> {
  const names = (await readdir(labPaths(lab).processes)).map((file) => path.basename(file, '.json'));
  const running = await Promise.all(names.map(async (name) => (await members(lab, processGroup(name))).length > 0));
  return names.filter((_, index) => !running[index]);
}

async function endOfLog(lab: string, name: string): Promise<string> {
  const text = await readFile(path.join(labPaths(lab).logs, `${name}.log`), 'utf8').catch(() => '');
  return `The end of the log of ${name}:\n${text.split('\n').slice(-15).join('\n')}`;
}

/** Ends the process and waits until it is gone. */
export async function endProcess(lab: string, name: string): Promise<void> {
  await endGroup(lab, processGroup(name), 5_000);
  await rm(path.join(labPaths(lab).processes, `${name}.json`), { force: true });
}

async function launch(lab: string, wanted: ManagedProcess, log: string): Promise<void> {
  const groups = await makeGroup(lab, processGroup(wanted.name));
  const namespace = wanted.netns === 'cluster' ? networkNamespace(lab) : networkNamespace(lab, wanted.netns.pod);
  // Most are Go programs, and live for minutes: memory for time.
  const env = { GOGC: 'off', GOMEMLIMIT: '600MiB', ...wanted.env };
  await startInGroups(groups, ['nsenter', `--net=${namespaceFile(namespace)}`, '--', ...wanted.argv], log, env);
}

/** Starts a program that outlives us, in the cgroups from its first instruction on, its output appended to `log`. */
export async function startInGroups(
  groups: readonly string[],
  argv: readonly string[],
  log: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const output = await open(log, 'a', 0o600);
  try {
    // Descriptor 3 says that it is in its groups: from then on it can be found and ended.
    const enter =
      'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; n=$((n-1)); done; echo in >&3; exec 3>&-; exec "$@"';
    const child = spawn('sh', ['-c', enter, 'sh', String(groups.length), ...groups, ...argv], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', output.fd, output.fd, 'pipe'],
      env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    });
    const signal = child.stdio[3];
    if (!(signal instanceof Readable)) throw new Error('no pipe to the new process');
    await new Promise<void>((resolve, reject) => {
      signal.once('data', () => resolve());
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${argv.join(' ')}: not started, exit code ${String(code)}; see ${log}`)));
    });
    signal.destroy();
    child.unref();
  } finally {
    await output.close();
  }
}

/** False when it ends or the limit passes first. */
async function becomesReady(lab: string, wanted: ManagedProcess, ready: Readiness, limit: number): Promise<boolean> {
  const deadline = Date.now() + limit;
  const ca = 'url' in ready && ready.url.startsWith('https:') ? await readFile(path.join(labPaths(lab).pki, 'ca.crt')) : undefined;
  for (;;) {
    if (await answers(ready, ca)) return true;
    if (Date.now() > deadline || (await members(lab, processGroup(wanted.name))).length === 0) return false;
    await sleep(100);
  }
}

function answers(ready: Readiness, ca: Buffer | undefined): Promise<boolean> {
  if ('url' in ready) {
    return new Promise((resolve) => {
      const module = ready.url.startsWith('https:') ? https : http;
      const request = module.get(ready.url, { timeout: 2000, ...(ca ? { ca } : {}), agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300);
      });
      request.once('timeout', () => request.destroy(new Error('timeout')));
      request.once('error', () => resolve(false));
    });
  }
  return tcpAnswers(ready.tcp);
}

/** True when the address `ip:port` accepts a TCP connection within two seconds. */
export function tcpAnswers(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  return new Promise((resolve) => {
    const socket = net.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    socket.setTimeout(2000, () => socket.destroy(new Error('timeout')));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
