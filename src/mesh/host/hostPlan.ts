import type { VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Plan, Step } from '../plan.ts';

export type HostPlanId = 'join' | 'push' | 'renew' | 'upgrade';

/** A plan that works on one VM. */
export function hostPlan(scope: VmScope, id: HostPlanId, steps: readonly Step[]): Plan {
  const args = { vm: scope.vm.name, cluster: scope.entry.name, release: scope.controlPlane.release };
  return { id, title: message(`host.${id}.title`, args), context: scope.entry.context, hosts: [scope.vm.host], steps };
}
