import { listAt, textAt } from '../cluster/untrusted.ts';
import type { ClusterScope } from '../era.ts';
import { message } from '../messages.ts';
import type { ControlPlaneLimit } from '../model.ts';
import type { KubeObject } from '../ports.ts';
import { MeshError } from '../errors.ts';

/** What of a mesh is not served (issue 4.11): found, explained, and refused where a join could not work. */

export interface LimitFacts {
  /** The Deployment of istiod; undefined where it does not run in this cluster. */
  readonly istiod: KubeObject | undefined;
  readonly hasZtunnel: boolean;
  /** Networks that were named: by the mesh, its namespace and the workload groups. */
  readonly networks: readonly string[];
}

export function limitsOf({ istiod, hasZtunnel, networks }: LimitFacts): readonly ControlPlaneLimit[] {
  return [
    ...(istiod === undefined ? [limit('remote', true)] : []),
    ...(hasZtunnel && isAmbient(istiod) ? [limit('ambient', false)] : []),
    ...(networks.length > 1 ? [limit('networks', false, { networks: networks.join(', ') })] : []),
  ];
}

/** Throws `istiod.limit` where the control plane has a limit that no VM can be joined under. */
export function assertServed({ controlPlane }: Pick<ClusterScope, 'controlPlane'>): void {
  const blocking = controlPlane.limits?.find((one) => one.blocking);
  if (blocking !== undefined)
    throw new MeshError({ code: 'istiod.limit', kind: 'bad-input', userMessage: blocking.text, nextStep: blocking.nextStep });
}

function isAmbient(istiod: KubeObject | undefined): boolean {
  const containers = listAt(istiod, 'spec', 'template', 'spec', 'containers');
  return containers.some((container) =>
    listAt(container, 'env').some((one) => textAt(one, 'name') === 'PILOT_ENABLE_AMBIENT' && textAt(one, 'value') === 'true'),
  );
}

function limit(id: string, blocking: boolean, args: Readonly<Record<string, string>> = {}): ControlPlaneLimit {
  return { id, text: message(`istiod.limit.${id}`, args), nextStep: message(`istiod.limit.${id}.next`, args), blocking };
}
