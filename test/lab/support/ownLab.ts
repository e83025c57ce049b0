// A lab of a test's own: named after the checkout, so that the same test of another one may run beside it.
import { createHash } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { down } from '../down.ts';
import type { Lab } from '../env.ts';
import { labEnv } from '../env.ts';
import type { IstioKind } from '../record.ts';
import { up } from '../up.ts';

/** What the labs of tests are brought up with; progress goes to stderr. */
export const testContext = { cacheDirectory, report: (line: string) => void process.stderr.write(`    ${line}\n`) };

/** The name of this checkout's lab for a test: `NAME-` and four digits, those of all labs of its tests: an interrupted run finds them by it (scripts/toolchain/testLabs.mjs). */
export function ownLabName(name: string): string {
  return `${name}-${createHash('sha256')
    .update(path.resolve(import.meta.dirname, '../../..'))
    .digest('hex')
    .slice(0, 4)}`;
}

/** A fresh lab; what a run that was killed left under its name is taken down first. To be ended with `down(lab.name)`. */
export async function startOwnLab(name: string, machines: number, istio?: IstioKind): Promise<Lab> {
  const own = ownLabName(name);
  await down(own);
  await up(own, machines, testContext, istio);
  return labEnv(own);
}
