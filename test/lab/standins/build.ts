// Builds the stand-ins once per state of their sources: Go programs, then the sidecar package in two releases.
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { dropOld, exists } from '../toolchain/builds.ts';
import { goEnvironment, goTool } from '../toolchain/go.ts';
import { withLock } from '../toolchain/lock.ts';
import { run } from '../toolchain/run.ts';
import { buildDeb } from './deb.ts';
import { GO_MODULE, sourceKey } from './sources.ts';

/** `echo` runs on machines, the others in the cluster. */
type StandinProgram = 'pilot' | 'mixer' | 'citadel' | 'fileserver' | 'echo';

/** The release of the lab, and a newer one for upgrades; their packages differ in the version and in sidecar.env. */
export const PACKAGE_RELEASES = ['1.0.3', '1.0.4'] as const;
export type PackageRelease = (typeof PACKAGE_RELEASES)[number];

/** Absolute paths of what was built. */
export interface StandinBinaries extends Readonly<Record<StandinProgram, string>> {
  /** A directory laid out as the release site is: `<release>/deb/istio-sidecar.deb`. */
  releases: string;
}

/** The package of a release on this machine. */
export function debFile(binaries: StandinBinaries, release: PackageRelease = '1.0.3'): string {
  return path.join(binaries.releases, release, 'deb', 'istio-sidecar.deb');
}

/**
 * Everything the stand-ins are, built where missing: about 2 min on two cores, 15 s with the build cache of the same Kubernetes. Without one that is given
 * theirs is kept: a change of one stand-in then costs seconds. Throws CommandError when a build fails.
 */
export async function buildStandins(context: BuildContext, buildCache?: string): Promise<StandinBinaries> {
  const home = path.join(context.cacheDirectory, 'lab', 'standins');
  const place = path.join(home, await sourceKey());
  if (!(await exists(place))) {
    await withLock(path.join(home, 'build.lock'), 1800, async () => {
      if (!(await exists(place))) await build(context, { home, place, buildCache: buildCache ?? path.join(home, 'go-build') });
    });
  }
  const program = (name: StandinProgram) => path.join(place, 'bin', name);
  return {
    pilot: program('pilot'),
    mixer: program('mixer'),
    citadel: program('citadel'),
    fileserver: program('fileserver'),
    echo: program('echo'),
    releases: path.join(place, 'releases'),
  };
}

async function build(
  context: BuildContext,
  { home, place, buildCache }: { readonly home: string; readonly place: string; readonly buildCache: string },
): Promise<void> {
  const go = await goTool(context);
  const unfinished = `${place}.building`;
  const bin = path.join(unfinished, 'bin');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(bin, { recursive: true });
  context.report('building the stand-ins for Istio 1.0.3, at most 2 min, once');
  const started = Date.now();
  await run([go, 'build', '-trimpath', '-ldflags', '-s -w', '-o', `${bin}/`, './cmd/...'], {
    cwd: GO_MODULE,
    env: goEnvironment(buildCache),
    timeout: 1_800_000,
    ...(context.signal ? { signal: context.signal } : {}),
  });
  for (const release of PACKAGE_RELEASES)
    await buildDeb(release, bin, path.join(unfinished, 'releases', release, 'deb', 'istio-sidecar.deb'));
  await rename(unfinished, place);
  await dropOld(home, path.basename(place));
  context.report(`built the stand-ins in ${Math.round((Date.now() - started) / 1000)} s`);
}
