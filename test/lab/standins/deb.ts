// Makes istio-sidecar.deb: the paths, units, conffiles and postinst of Istio 1.0.3's package around the stand-ins' programs (citadel facts 4).
import { appendFile, chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../toolchain/run.ts';
import { PACKAGE_FILES } from './sources.ts';

/** The programs of this module that the package carries. */
export const PACKAGED_PROGRAMS = ['envoy', 'pilot-agent', 'node_agent'] as const;

// The day Istio 1.0.3 was released: every file of the package carries it, so that two builds are the same bytes.
const RELEASE_TIME = 1_540_857_600;
const PROGRAMS = 'usr/local/bin';
const UNITS = 'lib/systemd/system';
const SETTINGS = 'var/lib/istio/envoy';
const PLACES: readonly { name: string; source?: string; directory: string; mode: number }[] = [
  { name: 'istio-start.sh', directory: PROGRAMS, mode: 0o755 },
  { name: 'istio-iptables.sh', directory: PROGRAMS, mode: 0o755 },
  { name: 'istio-node-agent-start.sh', directory: PROGRAMS, mode: 0o755 },
  { name: 'istio.service', directory: UNITS, mode: 0o644 },
  { name: 'istio-auth-node-agent.service', directory: UNITS, mode: 0o644 },
  { name: 'sidecar.env', directory: SETTINGS, mode: 0o644 },
  // Kept under another name because it is no JSON before it is filled.
  { name: 'envoy_bootstrap_tmpl.json', source: 'envoy_bootstrap.tmpl', directory: SETTINGS, mode: 0o644 },
  { name: 'postinst', directory: 'DEBIAN', mode: 0o755 },
  { name: 'conffiles', directory: 'DEBIAN', mode: 0o644 },
];

/**
 * Writes the package of this release to `target`, with the programs taken from the directory `programs`.
 * Throws CommandError when dpkg-deb fails.
 */
export async function buildDeb(release: string, programs: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const stage = await mkdtemp(`${target}.stage-`);
  try {
    const root = path.join(stage, 'root');
    for (const directory of [PROGRAMS, UNITS, SETTINGS, 'DEBIAN']) await makeDirectories(root, directory);
    for (const { name, source = name, directory, mode } of PLACES)
      await place(path.join(PACKAGE_FILES, source), path.join(root, directory, name), mode);
    for (const name of PACKAGED_PROGRAMS) await place(path.join(programs, name), path.join(root, PROGRAMS, name), 0o755);
    // A conffile that changes from release to release: dpkg asks about it where the user has edited his.
    await appendFile(path.join(root, SETTINGS, 'sidecar.env'), `\n# Settings as of Istio ${release}.\n`);
    await writeFile(path.join(root, 'DEBIAN', 'control'), control(release));
    const deb = path.join(stage, 'istio-sidecar.deb');
    await run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z6', '--build', root, deb], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(RELEASE_TIME) },
      timeout: 300_000,
    });
    await rename(deb, target);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

// The umask of whoever builds must not get into the package.
async function makeDirectories(root: string, directory: string): Promise<void> {
  let made = root;
  for (const part of ['', ...directory.split('/')]) {
    made = path.join(made, part);
    await mkdir(made, { recursive: true });
    await chmod(made, 0o755);
  }
}

async function place(from: string, to: string, mode: number): Promise<void> {
  await copyFile(from, to);
  await chmod(to, mode);
}

function control(release: string): string {
  return `Package: istio-sidecar
Version: ${release}-1
Architecture: amd64
Maintainer: Mesh Expansion lab
Depends: iptables, iproute2
Section: net
Priority: extra
Homepage: http://istio.io
Description: stand-in for the Istio sidecar package ${release}
 Not Istio: small programs that read the same files, keep the same units and carry the same traffic, for tests.
`;
}
