// `node test/lab/toolchain/build.ts`: everything a lab compiles, ahead of time; `npm run lab -- up` does the same when it is missing.
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { buildStandins } from '../standins/index.ts';
import { clusterBinaries } from './binaries.ts';
import { machineRoot } from './machineRoot.ts';

const context = { cacheDirectory, report: (line: string) => void process.stderr.write(`${line}\n`) };
const built = { machineRoot: await machineRoot(context), ...(await clusterBinaries(context)), ...(await buildStandins(context)) };
process.stdout.write(`${JSON.stringify(built, null, 2)}\n`);
