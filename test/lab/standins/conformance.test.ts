// The stand-ins for Istio 1.0.3, asked with curl, openssl, host, dpkg and kubectl alone: each does what the facts say of the real one, and a broken one fails here.
import type { Lab } from '../env.ts';
import { labEnv } from '../env.ts';
import { testContext } from '../support/ownLab.ts';
import { citadelCases } from './conformance/citadel.ts';
import { nodeAgentCases } from './conformance/nodeAgent.ts';
import { packageCases } from './conformance/package.ts';
import { pilotCases } from './conformance/pilot.ts';
import { sidecarCases } from './conformance/sidecar.ts';
import type { StandinBinaries } from './index.ts';
import { buildStandins, debFile } from './index.ts';

describe('the stand-ins for Istio 1.0.3', function () {
  this.timeout(120_000);
  let lab: Lab;
  let binaries: StandinBinaries;

  before(async function () {
    this.timeout(1_800_000);
    lab = await labEnv();
    binaries = await buildStandins(testContext);
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
