import type { Check } from '../era.ts';
import { message } from '../messages.ts';
import type { CheckResult } from '../model.ts';
import type { CommandOutput } from '../ports.ts';
import { failed, noProgram, passed, timedOut, type Judgement } from '../host/verdicts.ts';

export interface DnsQuestion {
  readonly name: string;
  /** Address that the answer must be; undefined where the cluster has none to compare with. */
  readonly expected: string | undefined;
  /** NAMESPACE/NAME of the object whose address it is. */
  readonly of: string;
  /** Asked of the cluster's DNS through dns-ilb, and not answered by dnsmasq itself. */
  readonly cluster: boolean;
}

/** `host -t A`: only the A record, because dnsmasq has no AAAA and `host` would exit 1 for that. */
export function dnsCheck(question: DnsQuestion): Check {
  return {
    id: `dns ${question.name}`,
    command: { argv: ['host', '-W', '3', '-t', 'A', question.name], timeoutMs: 15_000 },
    // Where dnsmasq itself is not asked, the cluster's DNS is not the one to blame.
    judge: async (output, earlier) => judgeDns({ ...question, cluster: question.cluster && !earlier.some(isLocalFailure) }, output),
  };
}

export function judgeDns({ name, expected, of, cluster }: DnsQuestion, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  if (output.exitCode === 127) return noProgram('host', 'bind9-host');
  const found = [...output.stdout.matchAll(/ has address (\S+)/g)].map((match) => match[1] ?? '');
  const [address] = found;
  if (address !== undefined && (expected === undefined || found.includes(expected)))
    return passed(message('citadel.check.dns.ok', { address, of }));
  const why = message(cluster ? 'citadel.check.dns.why-cluster' : 'citadel.check.dns.why-local');
  const next = message(cluster ? 'citadel.check.dns.next-cluster' : 'citadel.check.dns.next-local');
  if (address !== undefined)
    return failed(
      message('citadel.check.dns.other', { name, address, expected: expected ?? '', of }),
      message('citadel.check.dns.why-other'),
      message('citadel.check.dns.next-other'),
    );
  if (output.stdout.includes('NXDOMAIN')) return failed(message('citadel.check.dns.unknown', { name }), why, next);
  if (/SERVFAIL|REFUSED/.test(output.stdout)) return failed(message('citadel.check.dns.refused', { name }), why, next);
  if (/timed out|no servers could be reached/.test(output.stdout + output.stderr))
    return failed(message('citadel.check.dns.silent', { name }), why, next);
  return failed(message('citadel.check.dns.none', { name }), why, next);
}

function isLocalFailure({ id, verdict, nextStep }: CheckResult): boolean {
  return id.startsWith('dns ') && verdict === 'fail' && nextStep?.id === 'citadel.check.dns.next-local';
}
