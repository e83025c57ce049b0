import type { KubeObject } from '../ports.ts';
import { listAt, numberAt, textAt } from '../cluster/untrusted.ts';

/** Arithmetic on the subsets of an Endpoints object (citadel facts 5, 10); reads unknown data, writes plain data. */

export interface EndpointPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

export interface Subset {
  readonly addresses: readonly string[];
  readonly ports: readonly EndpointPort[];
  /** As read, so that what others wrote (nodeName, not ready addresses) survives. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export function subsetsOf(endpoints: KubeObject | undefined): readonly Subset[] {
  return listAt(endpoints, 'subsets').map((raw) => ({
    addresses: listAt(raw, 'addresses').flatMap((address) => textAt(address, 'ip') ?? []),
    ports: listAt(raw, 'ports').map((port) => ({
      name: textAt(port, 'name') ?? '',
      port: numberAt(port, 'port') ?? 0,
      protocol: textAt(port, 'protocol') ?? 'TCP',
    })),
    raw: typeof raw === 'object' && raw !== null ? { ...raw } : {},
  }));
}

/** Every ready address once. */
export function addressesOf(endpoints: KubeObject | undefined): readonly string[] {
  return [...new Set(subsetsOf(endpoints).flatMap(({ addresses }) => addresses))];
}

/** True where the address stands once, in a subset with exactly these port numbers. */
export function isRegistered(subsets: readonly Subset[], address: string, ports: readonly EndpointPort[]): boolean {
  const holding = subsets.filter((subset) => subset.addresses.includes(address));
  const [only] = holding;
  return (
    holding.length === 1 &&
    only !== undefined &&
    samePorts(only.ports, ports) &&
    only.addresses.filter((one) => one === address).length === 1
  );
}

/** The address once, in the subset whose port numbers are the same (its names stay, as istioctl does it), else in a new one; out of all others. */
export function withAddress(subsets: readonly Subset[], address: string, ports: readonly EndpointPort[]): readonly Subset[] {
  const without = withoutAddress(subsets, address);
  const index = without.findIndex((subset) => samePorts(subset.ports, ports));
  if (index < 0)
    return [...without, { addresses: [address], ports, raw: { addresses: [{ ip: address }], ports: ports.map((port) => ({ ...port })) } }];
  return without.map((subset, place) =>
    place === index
      ? {
          ...subset,
          addresses: [...subset.addresses, address],
          raw: { ...subset.raw, addresses: [...listAt(subset.raw, 'addresses'), { ip: address }] },
        }
      : subset,
  );
}

/** Without the address; subsets that end up empty go away. */
export function withoutAddress(subsets: readonly Subset[], address: string): readonly Subset[] {
  return subsets.flatMap((subset) => {
    if (!subset.addresses.includes(address)) return [subset];
    const addresses = subset.addresses.filter((one) => one !== address);
    const raw = { ...subset.raw, addresses: listAt(subset.raw, 'addresses').filter((one) => textAt(one, 'ip') !== address) };
    return addresses.length === 0 && listAt(raw, 'notReadyAddresses').length === 0 ? [] : [{ ...subset, addresses, raw }];
  });
}

export function rawSubsets(subsets: readonly Subset[]): readonly Readonly<Record<string, unknown>>[] {
  return subsets.map(({ raw }) => raw);
}

function samePorts(one: readonly EndpointPort[], other: readonly EndpointPort[]): boolean {
  const key = (ports: readonly EndpointPort[]): string =>
    ports
      .map(({ port, protocol }) => `${protocol} ${port}`)
      .sort()
      .join();
  return key(one) === key(other);
}
