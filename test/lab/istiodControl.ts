// istiod of a lab, stopped and started by a test: what an upgrade, a crash or a short certificate life looks like to the machines.
import process from 'node:process';
import { cacheDirectory } from '../../scripts/node24.mjs';
import type { Lab } from './env.ts';
import { labPaths } from './names.ts';
import { endProcess, ensureProcess } from './processes.ts';
import { ISTIOD, istiodProcess } from './realIstio/istiod.ts';
import { clusterBinaries } from './toolchain/binaries.ts';

/** Ends istiod, gracefully as a deleted pod; nothing listens at its address afterwards. */
export async function stopIstiod(lab: Lab): Promise<void> {
  await endProcess(lab.name, ISTIOD);
}

/**
 * Starts istiod and waits until it is ready. `env` wins over the lab's own settings, for example
 * `{ DEFAULT_WORKLOAD_CERT_TTL: '60s', MAX_WORKLOAD_CERT_TTL: '60s' }`; one that runs with another environment is started anew.
 * A later `lab up` brings the lab's own settings back.
 */
export async function startIstiod(lab: Lab, env: Readonly<Record<string, string>> = {}): Promise<void> {
  if (lab.istio !== 'istiod') throw new Error(`lab ${lab.name} runs with ${lab.istio}`);
  const binaries = await clusterBinaries({ cacheDirectory, report: (line) => void process.stderr.write(`${line}\n`) });
  await ensureProcess(lab.name, istiodProcess(labPaths(lab.name), lab.addresses, binaries['pilot-discovery'], env));
}

/** Stops it and starts it again, with this environment. */
export async function restartIstiod(lab: Lab, env: Readonly<Record<string, string>> = {}): Promise<void> {
  await stopIstiod(lab);
  await startIstiod(lab, env);
}
