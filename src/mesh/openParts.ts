import { eraOf, type FoundEra } from './eras.ts';
import type { Era } from './era.ts';
import { MeshError } from './errors.ts';
import { message } from './messages.ts';
import type { MeshPorts } from './mesh.ts';
import type { ClusterEntry, VmEntry } from './model.ts';
import type { CallOptions, ClusterApi, HostFacts, VmHost } from './ports.ts';
import { reopeningHost } from './reopeningHost.ts';
import { Shared } from './shared.ts';

/** Milliseconds that a detected release counts; an upgrade of Istio shows after that. */
const DETECTED_FOR_MS = 30_000;

/** What a mesh holds open: one connection per context and per VM, the releases it found, the addresses it asked for. */
export class OpenParts {
  readonly #ports: MeshPorts;
  readonly #eras: readonly Era[];
  readonly #clusters = new Shared<ClusterApi>();
  readonly #hosts = new Shared<VmHost>();
  readonly #found = new Shared<FoundEra & { readonly at: number }>();
  readonly #addresses = new Map<string, string>();

  constructor(ports: MeshPorts, eras: readonly Era[]) {
    this.#ports = ports;
    this.#eras = eras;
  }

  cluster(entry: ClusterEntry, options?: CallOptions): Promise<ClusterApi> {
    return this.#clusters.get(entry.context, () => this.#ports.connections.cluster(entry.context), options?.signal);
  }

  /** `fresh`: what was found before does not count; `through`: by which to look, where that must be done. */
  async era(entry: ClusterEntry, options?: CallOptions & { readonly fresh?: boolean; readonly through?: ClusterApi }): Promise<FoundEra> {
    // What is told of a control plane is told of the gateway that the inventory names, too.
    const key = JSON.stringify([entry.context, entry.istio, entry.ingress]);
    const now = (): number => this.#ports.clock.now().getTime();
    const find = async (): Promise<FoundEra & { at: number }> => ({
      ...(await eraOf(entry, async () => options?.through ?? this.cluster(entry, options), this.#eras, options)),
      at: now(),
    });
    if (options?.fresh === true) this.#found.forget(key);
    const found = await this.#found.get(key, find, options?.signal);
    if (now() - found.at < DETECTED_FOR_MS) return found;
    this.#found.forget(key);
    return this.#found.get(key, find, options?.signal);
  }

  /** Connects at once, so that who asks learns of an unreachable VM here; later calls share the connection and reopen a lost one. */
  async host(vm: VmEntry, options?: CallOptions): Promise<VmHost> {
    const open = (call?: CallOptions): Promise<VmHost> =>
      this.#hosts.get(vm.host, (signal) => this.#ports.connections.host(vm.host, { ...call, signal }), call?.signal);
    const opened = await open(options);
    let current = opened;
    return reopeningHost(vm.host, {
      open: async (call) => (current = await open(call)),
      drop: (host) => {
        if (host === current) this.#hosts.forget(vm.host);
      },
    });
  }

  /** A VM's address: the inventory's, else asked from the VM once. */
  async address(vm: VmEntry, options?: CallOptions): Promise<string> {
    const known = this.knownAddress(vm);
    if (known !== undefined) return known;
    const { facts } = await (await this.host(vm, options)).probe({ facts: true }, options);
    return this.addressIn(vm, facts);
  }

  /** A VM's address: the inventory's, else the one of these facts, which is remembered. */
  addressIn(vm: VmEntry, facts: HostFacts | undefined): string {
    if (vm.address !== undefined) return vm.address;
    const address = onlyAddress(vm, facts);
    this.#addresses.set(vm.host, address);
    return address;
  }

  /** The address where it is known without asking. */
  knownAddress(vm: VmEntry): string | undefined {
    return vm.address ?? this.#addresses.get(vm.host);
  }

  async close(): Promise<void> {
    const open = [...(await this.#hosts.takeAll()), ...(await this.#clusters.takeAll())];
    await this.#found.takeAll();
    await Promise.allSettled(open.map((part) => part.close()));
    await this.#ports.connections.close();
  }
}

/** The one address of a VM. An IPv6 address beside the IPv4 one of the same interface is no second choice. Throws `vm.no-address` or `vm.several-addresses` (bad-input). */
export function onlyAddress(vm: VmEntry, facts: HostFacts | undefined): string {
  const addresses = facts?.addresses ?? [];
  const ipv4 = addresses.filter(({ address }) => !address.includes(':'));
  const [first] = addresses;
  if (first === undefined) {
    throw new MeshError({
      code: 'vm.no-address',
      kind: 'bad-input',
      userMessage: message('vm.no-address', { vm: vm.name }),
      nextStep: message('vm.no-address.next', { vm: vm.name }),
      field: 'address',
    });
  }
  if (addresses.length === 1) return first.address;
  if (ipv4.length === 1 && ipv4[0] !== undefined && addresses.every((one) => one.interface === ipv4[0]?.interface)) return ipv4[0].address;
  const choices = addresses.map(({ address, interface: name }) => ({ value: address, text: `${address} (${name})` }));
  throw new MeshError({
    code: 'vm.several-addresses',
    kind: 'bad-input',
    userMessage: message('vm.several-addresses', {
      vm: vm.name,
      addresses: choices.map(({ text }) => text).join(', '),
    }),
    nextStep: message('vm.several-addresses.next', { vm: vm.name }),
    field: 'address',
    choices,
  });
}
