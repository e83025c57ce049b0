// Installing Debian packages on a lab machine, which cannot fetch any.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Lab } from '../env.ts';
import { machinePackages } from '../toolchain/machinePackages.ts';
import { testContext } from './ownLab.ts';

const PLACE = '/run/lab-packages';

/** Puts the packages and what they need on the machine and installs them, as root, with dpkg alone. */
export async function addPackages(lab: Lab, machine: string, names: readonly string[]): Promise<void> {
  const files = await machinePackages(testContext, names);
  await lab.onMachine(machine, ['mkdir', '-p', PLACE]);
  for (const file of files)
    await lab.onMachine(machine, ['sh', '-c', 'cat >"$1"', 'sh', `${PLACE}/${path.basename(file)}`], { input: await readFile(file) });
  await lab.onMachine(
    machine,
    ['sh', '-c', `DEBIAN_FRONTEND=noninteractive dpkg -i ${PLACE}/*.deb; code=$?; rm -rf ${PLACE}; exit $code`],
    {
      timeout: 180_000,
    },
  );
}
