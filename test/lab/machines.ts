// The lab's machines: Debian under systemd-nspawn, each an overlay over the shared root, in a network namespace of its own.
import { access, chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabAddresses } from './addresses.ts';
import { machineAddress } from './addresses.ts';
import { endGroup, makeGroup, members } from './cgroups.ts';
import { labPaths, machineName, machinePaths, namespaceFile, networkNamespace } from './names.ts';
import { machineNetwork } from './network.ts';
import { startInGroups, tcpAnswers } from './processes.ts';
import { run } from './toolchain/run.ts';

export interface MachinePlace {
  name: string;
  address: string;
}

const ADMIN_ID = 1000;

/** The machines a lab with this many has. */
export function machinePlaces(addresses: LabAddresses, count: number): MachinePlace[] {
  return Array.from({ length: count }, (_, index) => ({ name: machineName(index + 1), address: machineAddress(addresses, index + 1) }));
}

/** Boots the machine unless it runs; a machine that was there before keeps its disk. True when it was booted. */
export async function ensureMachine(lab: string, place: MachinePlace, addresses: LabAddresses, baseRoot: string): Promise<boolean> {
  if (await leader(lab, place.name)) return false;
  // What is left of one that was cut half-way.
  await endGroup(lab, place.name, 0);
  await machineNetwork(lab, place.name, place.address, addresses);
  await mountRoot(lab, place, baseRoot, addresses);
  const paths = machinePaths(lab, place.name);
  const groups = await makeGroup(lab, place.name);
  const namespace = namespaceFile(networkNamespace(lab, place.name));
  // Slave: what is unmounted outside goes here too, so no namespace or overlay of another lab is held by this one.
  await startInGroups(
    groups,
    ['unshare', '--mount', '--propagation', 'slave', path.join(import.meta.dirname, 'machine-loop.sh'), place.name, paths.root, namespace],
    paths.console,
  );
  return true;
}

/** Resolves when systemd says that the machine has started and sshd accepts. Throws with the end of its console after the limit in milliseconds. */
export async function waitMachine(lab: string, place: MachinePlace, limit = 60_000): Promise<void> {
  const deadline = Date.now() + limit;
  for (;;) {
    const pid = await leader(lab, place.name);
    if (pid && (await tcpAnswers(`${place.address}:22`))) {
      const state = await run(['nsenter', '-t', String(pid), '-a', '--', 'systemctl', 'is-system-running', '--wait'], {
        tolerant: true,
        timeout: 30_000,
      });
      if (/^(running|degraded)$/.test(state.stdout.trim())) return;
    }
    if (Date.now() > deadline) {
      throw new Error(`machine ${place.name} of lab ${lab} is not up after ${limit / 1000} s. ${await account(lab, place.name, pid)}`);
    }
    await sleep(100);
  }
}

// What can be said about a machine that does not come up: its console, its failed units and what it still waits for.
async function account(lab: string, machine: string, pid: number | undefined): Promise<string> {
  const console = await readFile(machinePaths(lab, machine).console, 'utf8').catch(() => '');
  const inside = ['systemctl --failed --no-legend', 'systemctl list-jobs --no-legend', 'journalctl -b -p warning -n 15 --no-pager'].join(
    '; ',
  );
  const units = pid
    ? await run(['nsenter', '-t', String(pid), '-a', '--', 'sh', '-c', inside], { tolerant: true }).catch(() => undefined)
    : undefined;
  return [pid ? 'Its systemd runs.' : 'Its systemd does not run.', console.split('\n').slice(-20).join('\n'), units?.stdout ?? ''].join(
    '\n',
  );
}

/** Process id, as seen here, of the machine's systemd; undefined when it does not run. */
export async function leader(lab: string, machine: string): Promise<number | undefined> {
  for (const pid of await members(lab, machine)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\t\d+\t1$/m.test(status)) {
      const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      if (command.trim() === 'systemd') return pid;
    }
  }
  return undefined;
}

async function mountRoot(lab: string, place: MachinePlace, baseRoot: string, addresses: LabAddresses): Promise<void> {
  const paths = machinePaths(lab, place.name);
  const ready = path.join(paths.directory, 'ready');
  const fresh = await access(ready).then(
    () => false,
    () => true,
  );
  if (fresh) {
    await unmount(paths.root);
    await rm(paths.directory, { recursive: true, force: true });
  }
  for (const directory of [paths.upper, paths.work, paths.root]) await mkdir(directory, { recursive: true });
  if ((await run(['mountpoint', '-q', paths.root], { tolerant: true })).code !== 0) {
    await run([
      'mount',
      '-t',
      'overlay',
      'overlay',
      '-o',
      `lowerdir=${baseRoot},upperdir=${paths.upper},workdir=${paths.work}`,
      paths.root,
    ]);
  }
  if (fresh) {
    await furnish(lab, place, paths.root, addresses);
    await writeFile(ready, '');
  }
}

// A machine as an operator finds it: named, with host keys, the administrator's key, and the network's name server in resolv.conf.
async function furnish(lab: string, place: MachinePlace, root: string, addresses: LabAddresses): Promise<void> {
  const at = (file: string) => path.join(root, file);
  await writeFile(at('etc/hostname'), `${place.name}\n`);
  await writeFile(at('etc/hosts'), `127.0.0.1\tlocalhost\n127.0.1.1\t${place.name}\n`);
  await rm(at('etc/resolv.conf'), { force: true });
  await writeFile(at('etc/resolv.conf'), `search lab.internal\nnameserver ${addresses.router}\n`);
  const { sshKey } = labPaths(lab);
  const authorized = at('home/admin/.ssh/authorized_keys');
  await writeFile(authorized, await readFile(`${sshKey}.pub`));
  await chmod(authorized, 0o600);
  await chown(authorized, ADMIN_ID, ADMIN_ID);
  for (const type of ['ed25519', 'ecdsa'])
    await run(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', `root@${place.name}`, '-f', at(`etc/ssh/ssh_host_${type}_key`)]);
  const [type = '', key = ''] = (await readFile(at('etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')).split(' ');
  await writeFile(machinePaths(lab, place.name).knownHost, `${place.name},${place.address} ${type} ${key.trim()}\n`);
}

/** Unmounts everything at or below the directory. */
export async function unmount(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1]?.replaceAll('\\040', ' '))
    .filter((target) => target !== undefined);
  for (const target of mounts.filter((mount) => mount === directory || mount.startsWith(`${directory}/`)).reverse()) {
    const done = await run(['umount', target], { tolerant: true });
    if (done.code !== 0) await run(['umount', '--lazy', target]);
  }
}
