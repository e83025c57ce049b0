import type { Era } from '../era.ts';
import { problem, refName } from '../problem.ts';

/**
 * The captured ports of a VM are those of its group's template (istiod facts 1.6): they are changed there, for all of its VMs. Always throws
 * `istiod.expose-ports` (bad-input), whose next step names the group.
 */
export const planExposePorts: Era['planExposePorts'] = async ({ vm }, _host, ports) => {
  const group = refName({ namespace: vm.namespace, name: vm.workloadGroup ?? '' });
  const wanted = ports === '*' ? '*' : ports.join(', ');
  throw problem('istiod.expose-ports', { vm: vm.name, group, ports: wanted }, { kind: 'bad-input', field: 'inboundPorts' });
};
