import type { MachineFiles } from './files.ts';
import type { Network } from './network.ts';

/** Result of a DNS question: an address, or what `host` would say. */
export type Resolution =
  | { readonly kind: 'address'; readonly address: string; readonly server: string }
  | { readonly kind: 'unknown' | 'unreachable'; readonly server: string };

/** dnsmasq's answers come from the files as they were when it started, as with the real one. */
export interface DnsmasqConfig {
  readonly addresses: readonly { readonly domain: string; readonly address: string }[];
  readonly servers: readonly { readonly domain: string; readonly server: string }[];
  readonly problem?: string;
}

export const CLOUD_DNS = '10.150.0.1';

export function readDnsmasq(files: MachineFiles): DnsmasqConfig {
  const addresses: { domain: string; address: string }[] = [];
  const servers: { domain: string; server: string }[] = [];
  for (const path of files.below('/etc/dnsmasq.d')) {
    if (/\.dpkg-(dist|old|new)$/.test(path)) continue;
    for (const [index, raw] of (files.text(path) ?? '').split('\n').entries()) {
      const line = raw.replace(/#.*$/, '').trim();
      if (line === '') continue;
      const [, option, domain = '', value = ''] = /^(address|server)=\/([^/]*)\/(\S*)$/.exec(line) ?? [];
      if (option === 'address') addresses.push({ domain, address: value });
      else if (option === 'server') servers.push({ domain, server: value });
      else if (!/^[a-z-]+(=\S.*)?$/.test(line)) return { addresses, servers, problem: `bad option at line ${index + 1} of ${path}` };
    }
  }
  return { addresses, servers };
}

/** Looks a name up as the machine's C library would: the first server of /etc/resolv.conf that answers. */
export function resolve(name: string, files: MachineFiles, dnsmasq: DnsmasqConfig | undefined, network: Network): Resolution {
  const wanted = name.replace(/\.$/, '').toLowerCase();
  const nameservers = nameserversOf(files);
  for (const server of nameservers) {
    const local = server.startsWith('127.');
    if (local && !dnsmasq) continue;
    const address = local && dnsmasq ? askDnsmasq(wanted, dnsmasq, network) : null;
    if (address === undefined) return { kind: 'unreachable', server };
    return address === null ? { kind: 'unknown', server } : { kind: 'address', address, server };
  }
  return { kind: 'unreachable', server: nameservers[0] ?? 'none' };
}

export function nameserversOf(files: MachineFiles): readonly string[] {
  return [...(files.text('/etc/resolv.conf') ?? '').matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map((match) => match[1] ?? '')
    .filter((server) => server !== '');
}

/** undefined: the server that the domain is sent to does not answer; null: no such name. The longest domain wins. */
function askDnsmasq(name: string, config: DnsmasqConfig, network: Network): string | null | undefined {
  const covers = (domain: string): boolean => name === domain || name.endsWith(`.${domain}`);
  const candidates = [
    ...config.addresses
      .filter(({ domain }) => covers(domain))
      .map(({ domain, address }) => ({ length: domain.length, answer: (): string | null | undefined => address || null })),
    ...config.servers
      .filter(({ domain }) => covers(domain))
      .map(({ domain, server }) => ({ length: domain.length, answer: (): string | null | undefined => network.clusterDns(server, name) })),
  ];
  const [best] = candidates.sort((left, right) => right.length - left.length);
  return best ? best.answer() : null;
}
