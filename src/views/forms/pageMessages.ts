import * as z from 'zod/mini';
import type { FromPage, Values } from './protocol.ts';

const short = z.string().check(z.maxLength(65536));
const row = z.record(z.string().check(z.maxLength(64)), short);
const values = z.record(
  z.string().check(z.maxLength(64)),
  z.union([short, z.array(short).check(z.maxLength(5000)), z.array(row).check(z.maxLength(500))]),
);

const fromPage = z.union([
  z.object({ type: z.literal('change'), values, revision: z.int() }),
  z.object({ type: z.enum(['ready', 'submit', 'draft', 'cancel', 'copy', 'connect', 'startOver', 'extra']) }),
  z.object({ type: z.enum(['copyCommand', 'choose']), index: z.int().check(z.gte(0)) }),
  z.object({ type: z.literal('focus'), here: z.boolean() }),
  z.object({ type: z.literal('browse'), field: short }),
  z.object({ type: z.literal('open'), file: short }),
]);

/** A message of a form's page; undefined for anything else, which is then ignored. */
export function readPageMessage(raw: unknown): FromPage | undefined {
  const read = fromPage.safeParse(raw);
  return read.success ? read.data : undefined;
}

/** Values kept from an earlier visit; undefined where they are not what a form keeps. */
export function readValues(raw: unknown): Values | undefined {
  const read = values.safeParse(raw);
  return read.success ? read.data : undefined;
}
