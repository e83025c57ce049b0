import type { UnmanagedVm } from './mesh.ts';
import type { Inventory, RegisteredService, VmEntry } from './model.ts';

/**
 * Addresses of registered services that belong to no VM of the inventory. A VM whose address is not known (not in the inventory, not asked yet) may be any
 * address of a service that lists it: as many as there are such VMs are left out there, so that a managed VM is never called unmanaged.
 */
export function unmanagedVms(
  cluster: string,
  inventory: Inventory,
  services: readonly RegisteredService[],
  addressOf: (vm: VmEntry) => string | undefined,
): readonly UnmanagedVm[] {
  const vms = inventory.vms.filter((vm) => vm.cluster === cluster);
  const managed = vms.map(addressOf);
  const found = new Map<string, string[]>();
  for (const { ref, endpoints } of services) {
    const entry = inventory.services.find(
      (service) => service.cluster === cluster && service.name === ref.name && service.namespace === ref.namespace,
    );
    const unasked = vms.filter((vm) => entry?.vms.includes(vm.name) === true && addressOf(vm) === undefined).length;
    const unknown = endpoints.filter(({ address, vm }) => vm === undefined && !managed.includes(address)).map(({ address }) => address);
    if (unknown.length <= unasked) continue;
    for (const address of unknown) found.set(address, [...(found.get(address) ?? []), `${ref.namespace ?? ''}/${ref.name}`]);
  }
  return [...found].map(([address, names]): UnmanagedVm => ({ address, services: names }));
}
