// The lab's ssh key, known hosts and configuration: machines are reached by their names, from the root namespace, with nothing of the user's own.
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { MachinePlace } from './machines.ts';
import type { LabPaths } from './names.ts';
import { machinePaths } from './names.ts';
import { run } from './toolchain/run.ts';

export const ADMIN_USER = 'admin';

/** Makes the key pair where it is not there yet. */
export async function makeSshKey(paths: LabPaths): Promise<void> {
  if (
    await access(paths.sshKey).then(
      () => true,
      () => false,
    )
  )
    return;
  await mkdir(path.dirname(paths.sshKey), { recursive: true, mode: 0o700 });
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'mesh-lab', '-f', paths.sshKey]);
}

/** Writes known_hosts, with the ed25519 key each machine was made with, and the configuration file, to be handed to ssh with -F. */
export async function writeSshConfig(lab: string, paths: LabPaths, machines: readonly MachinePlace[]): Promise<void> {
  const keys = await Promise.all(machines.map(({ name }) => readFile(machinePaths(lab, name).knownHost, 'utf8')));
  await replaceFile(paths.knownHosts, keys.join(''));
  const hosts = machines.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`).join('\n');
  const common = `Host *
  User ${ADMIN_USER}
  Port 22
  IdentityFile "${paths.sshKey}"
  IdentitiesOnly yes
  UserKnownHostsFile "${paths.knownHosts}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 10
`;
  await replaceFile(paths.sshConfig, `${hosts}\n${common}`);
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
