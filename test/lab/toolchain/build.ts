// `node test/lab/toolchain/build.ts`: everything a lab compiles, ahead of time; `npm run lab -- up` does the same when it is missing.
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { clusterBinaries } from './binaries.ts';

const binaries = await clusterBinaries({ cacheDirectory, report: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${JSON.stringify(binaries, null, 2)}\n`);
