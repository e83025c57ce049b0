import { fileOf } from '../host/hostState.ts';
import type { HostState } from '../ports.ts';

/**
 * How programs of a machine look names up, and what capturing DNS makes of it (istiod facts 2.5). Captured is what goes to port 53 of the servers that resolv.conf names when istio is
 * started, those on loopback too: the agent answers names of the mesh and asks the same servers for all others.
 */

export const RESOLV_CONF = '/etc/resolv.conf';
export const NSSWITCH = '/etc/nsswitch.conf';

export interface NameLookup {
  /** The servers of resolv.conf, in their order. */
  readonly servers: readonly string[];
  /** nss-resolve asks systemd-resolved past DNS, and its no is final. */
  readonly pastDns: boolean;
}

/** From the text of both files, one after the other or the same. */
export function nameLookup(resolvConf: string, nsswitch: string): NameLookup {
  return { servers: nameServers(resolvConf), pastDns: isPastDns(nsswitch) };
}

/** What a probe brought of both; undefined where resolv.conf was not read. */
export function nameLookupOf(state: HostState | undefined): NameLookup | undefined {
  const resolvConf = fileOf(state, RESOLV_CONF);
  if (resolvConf === undefined) return undefined;
  return nameLookup(resolvConf.text ?? '', fileOf(state, NSSWITCH)?.text ?? '');
}

function nameServers(text: string): readonly string[] {
  return [...text.matchAll(/^nameserver[ \t]+([^\s#;]+)/gm)].map(([, server = '']) => server);
}

/** The line of hosts: `resolve` before `dns`, followed by an action that ends the search where it finds nothing. */
function isPastDns(text: string): boolean {
  const [, line = ''] = /^hosts:(.*)$/m.exec(text) ?? [];
  const words: readonly string[] = line.split('#')[0]?.match(/\[[^\]]*\]|\S+/g) ?? [];
  const at = words.indexOf('resolve');
  const dns = words.indexOf('dns');
  if (at < 0 || (dns >= 0 && dns < at)) return false;
  return dns < 0 || /\[.*(?:!UNAVAIL|NOTFOUND)=return.*\]/i.test(words[at + 1] ?? '');
}

export function isLoopback(server: string): boolean {
  return /^(?:127\.|::1$)/.test(server);
}

/** Name of the program that answers at a server's address of this machine, as far as the machine tells it. */
export function processAt({ facts }: HostState, server: string): string {
  const listening = (facts?.port53 ?? []).map(({ process, address }) => ({ process, at: address.replace(/%.*$|[[\]]/g, '') }));
  const found = listening.find(({ at }) => at === server) ?? listening.find(({ at }) => ['0.0.0.0', '*', '::'].includes(at));
  // The kernel keeps 15 characters of a name.
  return found?.process.replace(/^systemd-resolve$/, 'systemd-resolved') ?? '-';
}
