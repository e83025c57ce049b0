// The lab's record: which index it holds, how many machines it has and which Istio. Written before anything else is made, removed last.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { LAST_INDEX, labAddresses } from './addresses.ts';
import { LABS_DIRECTORY, labPaths } from './names.ts';
import { withLock } from './toolchain/lock.ts';
import { run } from './toolchain/run.ts';

/** `citadel`: the stand-ins for Istio 1.0.3. `istiod`: the real istiod 1.31. */
export const ISTIO_KINDS = ['citadel', 'istiod'] as const;
export type IstioKind = (typeof ISTIO_KINDS)[number];

export interface LabRecord {
  index: number;
  machines: number;
  istio: IstioKind;
}

/** Returns the kind; throws RangeError for any other word. */
export function istioKind(word: string): IstioKind {
  const kind = ISTIO_KINDS.find((known) => known === word);
  if (!kind) throw new RangeError(`--istio ${word}: one of ${ISTIO_KINDS.join(', ')}`);
  return kind;
}

/** Undefined where no such lab is. */
export async function readRecord(lab: string): Promise<LabRecord | undefined> {
  const text = await readFile(labPaths(lab).record, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (
    typeof value === 'object' &&
    value !== null &&
    'index' in value &&
    'machines' in value &&
    typeof value.index === 'number' &&
    typeof value.machines === 'number'
  ) {
    // Records of labs from before there was a choice say nothing.
    const istio = 'istio' in value && typeof value.istio === 'string' ? istioKind(value.istio) : 'citadel';
    return { index: value.index, machines: value.machines, istio };
  }
  throw new Error(`${labPaths(lab).record} is not a lab's record: take the lab down and up again`);
}

/**
 * The lab's record with at least `machines` machines; a new lab gets the first index that no other lab and no route of this machine holds.
 * A lab keeps its Istio for life: throws RangeError when another is asked for. None asked for: its own, else citadel.
 */
export async function claimRecord(lab: string, machines: number, istio?: IstioKind): Promise<LabRecord> {
  return withLock(path.join(LABS_DIRECTORY, '.index.lock'), 60, async () => {
    const known = await readRecord(lab);
    if (known && istio && known.istio !== istio)
      throw new RangeError(`lab ${lab} runs with ${known.istio}: take it down before it gets ${istio}, or give another --name`);
    const record: LabRecord = known
      ? { ...known, machines: Math.max(known.machines, machines) }
      : { index: await freeIndex(), machines, istio: istio ?? 'citadel' };
    const { state, record: file } = labPaths(lab);
    await mkdir(state, { recursive: true, mode: 0o700 });
    await writeFile(`${file}.new`, `${JSON.stringify(record)}\n`);
    await rename(`${file}.new`, file);
    return record;
  });
}

async function freeIndex(): Promise<number> {
  const labs = await readdir(LABS_DIRECTORY, { withFileTypes: true });
  const records = await Promise.all(
    labs.filter((entry) => entry.isDirectory()).map((entry) => readRecord(entry.name).catch(() => undefined)),
  );
  const taken = new Set(records.map((record) => record?.index));
  const routes = (await run(['ip', '-4', 'route', 'show', 'table', 'all'])).stdout;
  const local = Object.values(os.networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map((entry) => entry.address);
  for (let index = 0; index <= LAST_INDEX; index += 1) {
    const prefix = labAddresses(index).subnet.replace(/0\.0\/16$/, '');
    const routed = routes.split(/\s+/).some((word) => word.startsWith(prefix)) || local.some((address) => address.startsWith(prefix));
    if (!taken.has(index) && !routed) return index;
  }
  throw new Error(`no free address range for another lab (10.201.0.0/16 to 10.${201 + LAST_INDEX}.0.0/16 are taken)`);
}
