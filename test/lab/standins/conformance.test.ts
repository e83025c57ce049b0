// The stand-ins for Istio 1.0.3, asked with curl, openssl, host, dpkg, kubectl and ssh alone: each does what the facts say of the real one, and a broken one fails here.
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { down } from '../down.ts';
import type { Lab } from '../env.ts';
import { labEnv } from '../env.ts';
import { up } from '../up.ts';
import { citadelCases } from './conformance/citadel.ts';
import { nodeAgentCases } from './conformance/nodeAgent.ts';
import { packageCases } from './conformance/package.ts';
import { pilotCases } from './conformance/pilot.ts';
import { sidecarCases } from './conformance/sidecar.ts';
import type { StandinBinaries } from './index.ts';
import { buildStandins, debFile } from './index.ts';

const NAME = 'standins';

describe('the stand-ins for Istio 1.0.3', function () {
  this.timeout(120_000);
  let lab: Lab;
  let binaries: StandinBinaries;

  before(async function () {
    this.timeout(1_800_000);
    const context = { cacheDirectory, report: (line: string) => void process.stderr.write(`    ${line}\n`) };
    await up(NAME, 1, context);
    [lab, binaries] = await Promise.all([labEnv(NAME), buildStandins(context)]);
  });

  after(async () => {
    if (!process.env.MESH_KEEP_LAB) await down(NAME);
  });

  pilotCases(() => lab);
  citadelCases(() => lab);
  // Before the next two: it wants a machine that has never had the package.
  packageCases(
    () => lab,
    () => binaries,
  );
  sidecarCases(
    () => lab,
    () => debFile(binaries),
  );
  nodeAgentCases(
    () => lab,
    () => debFile(binaries),
  );
});
