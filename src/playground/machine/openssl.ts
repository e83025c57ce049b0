import { X509Certificate } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { CommandResult } from './command.ts';
import type { Machine } from './machine.ts';

const OPTIONS = {
  in: { type: 'string' },
  noout: { type: 'boolean' },
  enddate: { type: 'boolean' },
  startdate: { type: 'boolean' },
  subject: { type: 'boolean' },
  issuer: { type: 'boolean' },
} as const;

/** `openssl x509 -noout -enddate -in FILE` and its neighbours, as openssl prints them. */
export function openssl(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const [verb, ...rest] = args;
  const { values } = parseArgs({
    args: rest.map((arg) => arg.replace(/^-(?=[a-z]{2})/, '--')),
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
  });
  if (verb !== 'x509' || typeof values.in !== 'string')
    return failed('the playground has only: openssl x509 -noout -enddate -startdate -subject -issuer -in FILE');
  const entry = machine.files.get(values.in);
  if (!entry) return failed(`Can't open ${values.in} for reading, No such file or directory`);
  if (!asRoot && (entry.mode & 0o004) === 0) return failed(`Can't open ${values.in} for reading, Permission denied`);
  try {
    const certificate = new X509Certificate(Buffer.from(entry.bytes));
    const lines = [
      ...(values.startdate === true ? [`notBefore=${certificate.validFrom}`] : []),
      ...(values.enddate === true ? [`notAfter=${certificate.validTo}`] : []),
      ...(values.subject === true ? ['subject='] : []),
      ...(values.issuer === true ? [`issuer=${certificate.issuer}`] : []),
    ];
    return { exitCode: 0, stdout: `${lines.join('\n')}\n`, stderr: '', takesMs: 0 };
  } catch {
    return failed('unable to load certificate');
  }
}

function failed(why: string): CommandResult {
  return { exitCode: 1, stdout: '', stderr: `${why}\n`, takesMs: 0 };
}
