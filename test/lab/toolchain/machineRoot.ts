// The root file system of the lab's machines: Debian 12 with systemd, made once by mmdebstrap and kept as one tar.
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { aptInstall } from './apt.ts';
import { withLock } from './lock.ts';
import { run } from './run.ts';

const SUITE = 'bookworm';
// What the guide's VM has, and what istio-sidecar.deb depends on; the machines have no way out to fetch more.
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'openssh-server',
  'sudo',
  'dnsmasq',
  'curl',
  'bind9-host',
  'iproute2',
  'iptables',
  'iputils-ping',
  'procps',
  'hostname',
  'netbase',
  'ca-certificates',
];
const PREPARE = path.join(import.meta.dirname, 'prepare-root.sh');

/** Absolute path of the extracted root: the lower layer of every machine, never written to. Made where missing. Throws when mmdebstrap fails. */
export async function machineRoot(context: BuildContext): Promise<string> {
  const home = path.join(context.cacheDirectory, 'lab', 'machine-root');
  const key = createHash('sha256')
    .update(SUITE + PACKAGES.join())
    .update(await readFile(PREPARE))
    .digest('hex')
    .slice(0, 12);
  const tree = path.join(home, key);
  if (await exists(tree)) return tree;
  await withLock(path.join(home, 'build.lock'), 900, async () => {
    if (await exists(tree)) return;
    const archive = path.join(home, `${key}.tar.zst`);
    if (!(await exists(archive))) await bootstrap(context, archive);
    context.report("unpacking the machines' root");
    const unfinished = `${tree}.unpacking`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    // --xattrs-include keeps ping's file capability.
    await run(['tar', '--zstd', '--numeric-owner', '--xattrs', '--xattrs-include=*', '-xpf', archive, '-C', unfinished], {
      timeout: 300_000,
    });
    await rename(unfinished, tree);
    await dropOthers(home, key);
  });
  return tree;
}

async function bootstrap(context: BuildContext, archive: string): Promise<void> {
  await aptInstall(context, ['mmdebstrap', 'zstd', 'debian-archive-keyring']);
  context.report("building the Debian machine's root, about 1 min, once");
  const unfinished = `${archive.replace(/\.tar\.zst$/, '')}.building.tar.zst`;
  await run(
    [
      'mmdebstrap',
      '--quiet',
      '--mode=root',
      '--variant=minbase',
      `--include=${PACKAGES.join()}`,
      `--customize-hook=${PREPARE} "$1"`,
      SUITE,
      unfinished,
    ],
    {
      timeout: 1_200_000,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      ...(context.signal ? { signal: context.signal } : {}),
    },
  );
  await rename(unfinished, archive);
}

async function dropOthers(home: string, key: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (name !== 'build.lock' && name !== key && name !== `${key}.tar.zst`)
      await rm(path.join(home, name), { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
