// The name server of a lab's network, told more names than those of the machines.
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import type { Lab } from './env.ts';
import { labPaths } from './names.ts';

/** Gives the address this name below lab.internal; the machines know it a second later, until the next `lab up`. */
export async function addName(lab: Lab, name: `${string}.lab.internal`, address: string): Promise<void> {
  await appendFile(path.join(labPaths(lab.name).config, 'hosts'), `${address} ${name}\n`);
}
