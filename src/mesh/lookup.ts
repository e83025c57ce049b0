import { MeshError } from './errors.ts';
import { message } from './messages.ts';
import type { ClusterEntry, Inventory, ServiceEntry, VmEntry } from './model.ts';
import { nearest } from './nearest.ts';

/** Entries of the inventory by name. Throws `inventory.unknown-name` (bad-input, offers the nearest) or `inventory.ambiguous-name`. */

export function findCluster(inventory: Inventory, name: string): ClusterEntry {
  return (
    inventory.clusters.find((cluster) => cluster.name === name) ??
    unknown(
      'cluster',
      name,
      inventory.clusters.map((cluster) => cluster.name),
    )
  );
}

export function findVm(inventory: Inventory, name: string): VmEntry {
  return (
    inventory.vms.find((vm) => vm.name === name) ??
    unknown(
      'vm',
      name,
      inventory.vms.map((vm) => vm.name),
    )
  );
}

/** NAME, or NAME.NAMESPACE where NAME alone is not unique. */
export function findService(inventory: Inventory, reference: string): ServiceEntry {
  const full = (service: ServiceEntry): string => `${service.name}.${service.namespace}`;
  const found = inventory.services.filter((service) => service.name === reference || full(service) === reference);
  const [only] = found;
  if (only === undefined)
    return unknown(
      'service',
      reference,
      inventory.services.flatMap((service) => [service.name, full(service)]),
    );
  if (found.length === 1) return only;
  throw new MeshError({
    code: 'inventory.ambiguous-name',
    kind: 'bad-input',
    userMessage: message('inventory.ambiguous-name', { name: reference, names: found.map(full).join(', ') }),
    field: 'service',
  });
}

function unknown(kind: 'cluster' | 'vm' | 'service', name: string, known: readonly string[]): never {
  const near = nearest(name, known);
  const texts = {
    cluster: message('inventory.unknown-name.cluster', { name }),
    vm: message('inventory.unknown-name.vm', { name }),
    service: message('inventory.unknown-name.service', { name }),
  };
  throw new MeshError({
    code: 'inventory.unknown-name',
    kind: 'bad-input',
    userMessage: texts[kind],
    nextStep:
      near === undefined
        ? message('inventory.unknown-name.known', { known: known.length === 0 ? '-' : known.join(', ') })
        : message('inventory.unknown-name.nearest', { nearest: near }),
    field: kind,
  });
}
