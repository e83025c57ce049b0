// What of a lab runs.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { labAddresses } from './addresses.ts';
import { members } from './cgroups.ts';
import { leader, machinePlaces } from './machines.ts';
import { labPaths } from './names.ts';
import { processGroup, tcpAnswers } from './processes.ts';
import { readRecord } from './record.ts';

export interface StatusLine {
  what: string;
  runs: boolean;
}

/** One line per process and machine the lab has been given. Throws when there is no such lab. */
export async function status(lab: string): Promise<StatusLine[]> {
  const record = await readRecord(lab);
  if (!record) throw new Error(`there is no lab ${lab}`);
  const names = (await readdir(labPaths(lab).processes).catch(() => [])).map((file) => path.basename(file, '.json')).sort();
  const processes = names.map(async (name) => ({ what: name, runs: (await members(lab, processGroup(name))).length > 0 }));
  const machines = machinePlaces(labAddresses(record.index), record.machines).map(async ({ name, address }) => ({
    what: `${name} ${address}`,
    runs: (await leader(lab, name)) !== undefined && (await tcpAnswers(`${address}:22`)),
  }));
  return Promise.all([...processes, ...machines]);
}
