// Makes istio-sidecar.deb: the paths, units, conffiles and postinst of Istio 1.0.3's package around the stand-ins' programs (citadel facts 4).
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PackagedFile } from '../toolchain/debPackage.ts';
import { buildDebPackage } from '../toolchain/debPackage.ts';
import { PACKAGE_FILES } from './sources.ts';

/** The programs of this module that the package carries. */
export const PACKAGED_PROGRAMS = ['envoy', 'pilot-agent', 'node_agent'] as const;

// The day Istio 1.0.3 was released.
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
  const settings = await readFile(path.join(PACKAGE_FILES, 'sidecar.env'), 'utf8');
  const files: PackagedFile[] = [
    ...PLACES.map(({ name, source = name, directory, mode }) => ({
      to: `${directory}/${name}`,
      from: { file: path.join(PACKAGE_FILES, source) },
      mode,
    })),
    ...PACKAGED_PROGRAMS.map((name) => ({ to: `${PROGRAMS}/${name}`, from: { file: path.join(programs, name) }, mode: 0o755 })),
    // A conffile that changes from release to release: dpkg asks about it where the user has edited his.
    { to: `${SETTINGS}/sidecar.env`, from: { text: `${settings}\n# Settings as of Istio ${release}.\n` }, mode: 0o644 },
    { to: 'DEBIAN/control', from: { text: control(release) }, mode: 0o644 },
  ];
  await buildDebPackage(target, files, { time: RELEASE_TIME });
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
