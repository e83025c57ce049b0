import type { VmEntry, WorkloadGroup } from '../model.ts';

/** The name of an entry that we make: group and VM; a VM's name may hold what an object's may not. */
export function explicitEntryName(vm: Pick<VmEntry, 'name'>, group: Pick<WorkloadGroup, 'name'>): string {
  const safe = vm.name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .split('.')
    .map((label) => label.replace(/^-+|-+$/g, ''))
    .filter((label) => label !== '')
    .join('.');
  return `${group.name}-${safe === '' ? 'vm' : safe}`.slice(0, 253).replace(/[-.]+$/, '');
}
