import { createPrivateKey, createPublicKey } from 'node:crypto';
import { failed, ok, type CommandResult } from './command.ts';
import type { Machine } from './machine.ts';

/** `openssl pkey -in FILE -passin pass: -pubout`: the public half of a key. */
export function openssl(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const path = args[args.indexOf('-in') + 1];
  if (args[0] !== 'pkey' || !args.includes('-pubout') || path === undefined)
    return failed(1, 'the playground has only: openssl pkey -in FILE -passin pass: -pubout\n');
  const entry = machine.files.get(path);
  if (!entry) return failed(1, `Can't open "${path}" for reading, No such file or directory\n`);
  if (!asRoot && (entry.mode & 0o004) === 0) return failed(1, `Can't open "${path}" for reading, Permission denied\n`);
  try {
    const key = createPublicKey(createPrivateKey(Buffer.from(entry.bytes).toString('utf8')));
    return ok(key.export({ type: 'spki', format: 'pem' }).toString());
  } catch {
    return failed(1, `Could not read key from ${path}\n`);
  }
}
