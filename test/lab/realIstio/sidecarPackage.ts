// The real istio-sidecar.deb, put together as Istio's own packaging does it: files of the Go module, the agent built from it, and stock Envoy.
import { createHash } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { dropOld, exists } from '../toolchain/builds.ts';
import { ISTIOD_RELEASE } from '../toolchain/binaries.ts';
import type { PackagedFile } from '../toolchain/debPackage.ts';
import { buildDebPackage } from '../toolchain/debPackage.ts';
import { withLock } from '../toolchain/lock.ts';
import { ENVOY_RELEASE, stockEnvoy } from './envoy.ts';
import { BOOTSTRAP, ISTIO_MODULE, packagingFiles } from './packagingFiles.ts';

/** For upgrades: the same programs, another version, and a sidecar.env that differs in a comment. */
export const NEWER_RELEASE = '1.31.1';
export const SIDECAR_RELEASES = [ISTIOD_RELEASE, NEWER_RELEASE] as const;

// The day of the module's commit.
const RELEASE_TIME = 1_787_788_800;

/** The package of a release in a directory that `sidecarReleases` gave. */
export function sidecarDeb(releases: string, release: string = ISTIOD_RELEASE): string {
  return path.join(releases, release, 'deb', 'istio-sidecar.deb');
}

/**
 * A directory laid out as the release site is, `<release>/deb/istio-sidecar.deb`; built where missing, about 15 s and 110 MB.
 * `pilotAgent`: absolute path of the built agent. Throws CommandError when a download or dpkg-deb fails.
 */
export async function sidecarReleases(context: BuildContext, pilotAgent: string): Promise<string> {
  const home = path.join(context.cacheDirectory, 'lab', 'istio-sidecar');
  const place = path.join(home, await packageKey(pilotAgent));
  if (await exists(place)) return place;
  await withLock(path.join(home, 'build.lock'), 1200, async () => {
    if (await exists(place)) return;
    const envoy = await stockEnvoy(context);
    const packaging = await packagingFiles(context);
    context.report(`building the sidecar packages ${SIDECAR_RELEASES.join(' and ')}, about 15 s, once`);
    const unfinished = `${place}.building`;
    await rm(unfinished, { recursive: true, force: true });
    for (const release of SIDECAR_RELEASES) {
      const files = await packageFiles(release, packaging, { pilotAgent, envoy });
      await buildDebPackage(sidecarDeb(unfinished, release), files, { time: RELEASE_TIME });
    }
    await rename(unfinished, place);
    await dropOld(home, path.basename(place));
  });
  return place;
}

// The agent's path carries the key of what it was built from.
async function packageKey(pilotAgent: string): Promise<string> {
  const hash = createHash('sha256').update(`${pilotAgent} ${ENVOY_RELEASE}`);
  const builder = path.join(import.meta.dirname, '../toolchain/debPackage.ts');
  for (const file of [import.meta.filename, builder, path.join(ISTIO_MODULE, 'go.sum')]) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

async function packageFiles(release: string, packaging: string, programs: { pilotAgent: string; envoy: string }): Promise<PackagedFile[]> {
  const common = (name: string) => path.join(packaging, 'common', name);
  const settings = await readFile(common('sidecar.env'), 'utf8');
  const file = (to: string, from: string, mode: number) => ({ to, from: { file: from }, mode });
  return [
    file('usr/local/bin/pilot-agent', programs.pilotAgent, 0o755),
    file('usr/local/bin/envoy', programs.envoy, 0o755),
    file('usr/local/bin/istio-start.sh', common('istio-start.sh'), 0o755),
    file('lib/systemd/system/istio.service', common('istio.service'), 0o644),
    file('var/lib/istio/envoy/envoy_bootstrap_tmpl.json', common(BOOTSTRAP), 0o644),
    // The newer one's differs, so that dpkg has something to ask about where the user has edited his.
    {
      to: 'var/lib/istio/envoy/sidecar.env',
      from: { text: release === ISTIOD_RELEASE ? settings : `${settings}\n# Settings as of Istio ${release}.\n` },
      mode: 0o644,
    },
    file('DEBIAN/postinst', path.join(packaging, 'postinst.sh'), 0o755),
    { to: 'DEBIAN/conffiles', from: { text: conffiles }, mode: 0o644 },
    { to: 'DEBIAN/control', from: { text: control(release) }, mode: 0o644 },
  ];
}

const conffiles = '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json\n/var/lib/istio/envoy/sidecar.env\n';

// Field by field what Istio's packaging.mk asks fpm for (istiod facts 2.1).
function control(release: string): string {
  return `Package: istio-sidecar
Version: ${release}
License: Apache
Vendor: istio.io
Architecture: amd64
Maintainer: istio@istio.io
Depends: iproute2, iptables, sudo, hostname
Section: default
Priority: optional
Homepage: http://istio.io
Description: Istio Sidecar
`;
}
