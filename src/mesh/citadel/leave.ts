import type { VmScope } from '../era.ts';
import { leavePlan } from '../host/leave.ts';
import type { Plan } from '../plan.ts';
import type { CallOptions, VmHost } from '../ports.ts';
import { sidecarOf } from './sidecar.ts';

/** The plan of Leave Mesh: all that a join of this era did is on the VM. */
export function planLeave(scope: VmScope, host: VmHost, options?: CallOptions): Promise<Plan> {
  return leavePlan(scope, sidecarOf(scope), host, {}, options);
}
