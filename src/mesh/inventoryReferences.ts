import type { Inventory } from './model.ts';

/** A broken rule that needs more than one place of the inventory to see. */
export interface BrokenReference {
  readonly path: readonly (string | number)[];
  readonly rule: 'unique' | 'unknown-cluster' | 'unknown-vm' | 'other-cluster';
  readonly value: string;
  /** The names that are known, or what the value clashes with. */
  readonly other: string;
}

/** Checks unique names and references between clusters, VMs and services. */
export function brokenReferences(inventory: Inventory): readonly BrokenReference[] {
  const clusters = inventory.clusters.map((cluster) => cluster.name);
  const vms = inventory.vms.map((vm) => vm.name);
  const broken: BrokenReference[] = [
    ...repeated(clusters, (index) => ['clusters', index, 'name']),
    ...repeated(vms, (index) => ['vms', index, 'name']),
    ...repeated(
      inventory.services.map((service) => `${service.name}.${service.namespace}`),
      (index) => ['services', index, 'name'],
    ),
    // Networks of different clusters may use the same private addresses.
    ...repeated(
      inventory.vms.map((vm) => (vm.address === undefined ? undefined : `${vm.address} (${vm.cluster})`)),
      (index) => ['vms', index, 'address'],
    ),
  ];
  inventory.vms.forEach((vm, index) => {
    if (!clusters.includes(vm.cluster))
      broken.push({ path: ['vms', index, 'cluster'], rule: 'unknown-cluster', value: vm.cluster, other: clusters.join(', ') });
    if (vm.inboundPorts !== '*')
      broken.push(...repeated((vm.inboundPorts ?? []).map(String), (port) => ['vms', index, 'inboundPorts', port]));
  });
  inventory.services.forEach((service, index) => {
    if (!clusters.includes(service.cluster))
      broken.push({ path: ['services', index, 'cluster'], rule: 'unknown-cluster', value: service.cluster, other: clusters.join(', ') });
    broken.push(
      ...repeated(
        service.ports.map((port) => port.name),
        (port) => ['services', index, 'ports', port, 'name'],
      ),
      ...repeated(
        service.ports.map((port) => `${port.port}/${port.protocol}`),
        (port) => ['services', index, 'ports', port, 'port'],
      ),
      ...repeated(service.vms, (vm) => ['services', index, 'vms', vm]),
    );
    service.vms.forEach((name, position) => {
      const vm = inventory.vms.find((candidate) => candidate.name === name);
      if (vm === undefined)
        broken.push({ path: ['services', index, 'vms', position], rule: 'unknown-vm', value: name, other: vms.join(', ') });
      else if (vm.cluster !== service.cluster)
        broken.push({ path: ['services', index, 'vms', position], rule: 'other-cluster', value: name, other: vm.cluster });
    });
  });
  return broken;
}

function repeated(values: readonly (string | undefined)[], pathOf: (index: number) => readonly (string | number)[]): BrokenReference[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return value === undefined || first === index ? [] : [{ path: pathOf(index), rule: 'unique', value, other: pathOf(first).join('.') }];
  });
}
