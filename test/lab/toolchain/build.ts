// `node test/lab/toolchain/build.ts [--json]`: everything a lab of either kind compiles, ahead of time; `npm run lab -- up` does the same when it is missing.
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { buildStandins } from '../standins/index.ts';
import { clusterBinaries } from './binaries.ts';
import { requireRoot } from '../privilege.ts';
import { sidecarReleases } from '../realIstio/sidecarPackage.ts';
import { machineRoot } from './machineRoot.ts';

const context = { cacheDirectory, report: (line: string) => void process.stderr.write(`${line}\n`) };
async function main(): Promise<void> {
  // Before the compilers run for a quarter of an hour.
  requireRoot();
  // The root is mostly unpacked and written, programs are mostly computed.
  const [root, binaries] = await Promise.all([
    machineRoot(context),
    clusterBinaries(context, undefined, (buildCache) => buildStandins(context, buildCache)),
  ]);
  const built = {
    machineRoot: root,
    ...binaries,
    ...(await buildStandins(context)),
    sidecarReleases: await sidecarReleases(context, binaries['pilot-agent']),
  };
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(built, null, 2)}\n`);
}

main().catch((error: unknown) => {
  context.report(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
