// `node test/lab/toolchain/build.ts [--json]`: everything a lab of either kind compiles, ahead of time; `npm run lab -- up` does the same when it is missing.
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { buildStandins } from '../standins/index.ts';
import { clusterBinaries } from './binaries.ts';
import { sidecarReleases } from '../realIstio/sidecarPackage.ts';
import { machineRoot } from './machineRoot.ts';

const context = { cacheDirectory, report: (line: string) => void process.stderr.write(`${line}\n`) };
const binaries = await clusterBinaries(context);
const built = {
  machineRoot: await machineRoot(context),
  ...binaries,
  ...(await buildStandins(context)),
  sidecarReleases: await sidecarReleases(context, binaries['pilot-agent']),
};
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(built, null, 2)}\n`);
