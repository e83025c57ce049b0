// What the allocator does with one service, decided without touching anything.
import ipaddr from 'ipaddr.js';

export const PENDING_ANNOTATION = 'lab.mesh-expansion/pending';
export const HOSTNAME_ANNOTATION = 'lab.mesh-expansion/hostname';
/** The annotation Istio ships (citadel facts 3); without it Google's controller gives a public address. */
export const INTERNAL_ANNOTATION = 'cloud.google.com/load-balancer-type';

export interface Ingress {
  ip?: string;
  hostname?: string;
}

export type Decision =
  | { kind: 'release' }
  | { kind: 'keep' }
  | { kind: 'pending' }
  | { kind: 'hostname'; hostname: string }
  | { kind: 'address'; range: 'internal' | 'public' };

export interface ServiceView {
  type: string | undefined;
  deleted: boolean;
  annotations: Readonly<Record<string, string>>;
  ingress: readonly Ingress[];
}

/** `internalRange` in CIDR notation tells on which side an address the service already has lies. */
export function decide(service: ServiceView, internalRange: string): Decision {
  if (service.type !== 'LoadBalancer' || service.deleted) return { kind: 'release' };
  if (service.annotations[PENDING_ANNOTATION] === 'true') return { kind: 'pending' };
  const hostname = service.annotations[HOSTNAME_ANNOTATION];
  if (hostname)
    return service.ingress.length === 1 && service.ingress[0]?.hostname === hostname ? { kind: 'keep' } : { kind: 'hostname', hostname };
  const range = service.annotations[INTERNAL_ANNOTATION]?.toLowerCase() === 'internal' ? 'internal' : 'public';
  const current = service.ingress.length === 1 ? service.ingress[0]?.ip : undefined;
  if (current && isWithin(current, internalRange) === (range === 'internal')) return { kind: 'keep' };
  return { kind: 'address', range };
}

/** The first address of the range, from .10 on, that is not taken; undefined when none is left. */
export function freeAddress(range: string, taken: ReadonlySet<string>): string | undefined {
  const [network] = ipaddr.IPv4.parseCIDR(range);
  const [a = 0, b = 0, c = 0] = network.octets;
  for (let last = 10; last < 255; last += 1) {
    const address = `${a}.${b}.${c}.${last}`;
    if (!taken.has(address)) return address;
  }
  return undefined;
}

function isWithin(address: string, range: string): boolean {
  return ipaddr.IPv4.isValid(address) && ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(range));
}
