import ipaddr from 'ipaddr.js';
import type { GeneratedFile, ValueSource } from '../model.ts';
import { problem } from '../problem.ts';
import type { BalancerRole, ReleaseFacts } from './releases.ts';

export const KUBEDNS = '/etc/dnsmasq.d/kubedns';

/** Unit that reads the file. */
export const DNSMASQ = 'dnsmasq';

/** Addresses of the four load balancers with where each came from. */
export type BalancerAddresses = Readonly<Record<BalancerRole, ValueSource>>;

/** /etc/dnsmasq.d/kubedns: names of the control plane to its load balancers, all names of the cluster to its DNS (citadel facts 1.1). Throws `citadel.ipv6`. */
export function kubednsFile(facts: ReleaseFacts, addresses: BalancerAddresses, namespace: string, clusterDomain: string): GeneratedFile {
  for (const { value } of Object.values(addresses)) {
    if (!ipaddr.IPv4.isValidFourPartDecimal(value)) throw problem('citadel.ipv6', { value, field: 'loadBalancers' });
  }
  const lines = [
    { text: `server=/svc.${clusterDomain}/${addresses.dns.value}`, source: addresses.dns },
    ...[...facts.kubednsNames, ...facts.kubednsNames.map(({ name, role }) => ({ name: `${name}.${namespace}`, role }))].map(
      ({ name, role }) => ({
        text: `address=/${name}/${addresses[role].value}`,
        source: addresses[role],
      }),
    ),
  ];
  return {
    path: KUBEDNS,
    mode: 0o644,
    owner: 'root',
    group: 'root',
    content: { kind: 'text', text: lines.map(({ text }) => `${text}\n`).join(''), sources: lines.map(({ source }) => [source]) },
    readBy: [DNSMASQ],
    editable: true,
  };
}
