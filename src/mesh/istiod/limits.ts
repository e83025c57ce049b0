import { stringsAt } from '../cluster/untrusted.ts';
import type { ClusterScope, VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { ControlPlaneLimit, WorkloadGroup } from '../model.ts';
import type { KubeObject } from '../ports.ts';
import { MeshError } from '../errors.ts';
import { istiodVariable } from './istiodEnv.ts';
import { isBefore } from './release.ts';

/** What of a mesh is not served (issue 4.11): found, explained, and refused where a join could not work. */

/** Id of the limit of an istiod that makes no entries: VMs with entries of their own join all the same. */
const UNREGISTERED = 'no-registration';

export interface LimitFacts {
  /** What runs istiod; undefined where it does not run in this cluster. */
  readonly istiod: KubeObject | undefined;
  readonly release: string;
  readonly hasZtunnel: boolean;
  /** Undefined where they may not be read, or do not matter. */
  readonly namespaces: readonly KubeObject[] | undefined;
  /** Networks that were named: by the mesh, its namespace and the workload groups. */
  readonly networks: readonly string[];
}

export function limitsOf({ istiod, release, hasZtunnel, namespaces, networks }: LimitFacts): readonly ControlPlaneLimit[] {
  const isOnly = namespaces?.some(hasSidecars) === false;
  return [
    ...(istiod === undefined ? [limit('remote', true)] : []),
    ...(istiod !== undefined && !registers(istiod, release) ? [limit(UNREGISTERED, false)] : []),
    ...(hasZtunnel && isAmbient(istiod) ? [isOnly ? limit('ambient-only', true) : limit('ambient', false)] : []),
    ...(networks.length > 1 ? [limit('networks', false, { networks: networks.join(', ') })] : []),
  ];
}

/** Throws `istiod.limit` where the control plane has a limit that no VM can be joined under. */
export function assertServed({ controlPlane }: Pick<ClusterScope, 'controlPlane'>): void {
  refuse(controlPlane.limits?.find((one) => one.blocking));
}

/** Throws `istiod.limit` where the VM is to register itself, and istiod makes no entries. */
export function assertRegisters({ controlPlane, vm }: Pick<VmScope, 'controlPlane' | 'vm'>): void {
  if (vm.autoRegister !== false)
    refuse(
      controlPlane.limits?.find(({ id }) => id === UNREGISTERED),
      'autoRegister',
    );
}

/** Throws `istiod.limit` where istiod runs elsewhere. Under every other limit a VM that joined before it may still get its files. */
export function assertIstiodHere({ controlPlane }: Pick<ClusterScope, 'controlPlane'>): void {
  refuse(controlPlane.limits?.find(({ id }) => id === 'remote'));
}

/** Throws `istiod.limit` where a group's VMs are on another network than the mesh. For istiod a network without a name is the same as any (istiod facts 3.1). */
export function assertSameNetwork({ controlPlane }: Pick<ClusterScope, 'controlPlane'>, { namespace, name, network }: WorkloadGroup): void {
  const own = controlPlane.details?.find(({ id }) => id === 'network')?.value;
  if (own === undefined || network === undefined || network === '' || network === own) return;
  refuse(limit('other-network', true, { group: `${namespace}/${name}`, network, own }), 'workloadGroup');
}

function refuse(limit: ControlPlaneLimit | undefined, field?: string): void {
  if (limit !== undefined)
    throw new MeshError({ code: 'istiod.limit', kind: 'bad-input', field, userMessage: limit.text, nextStep: limit.nextStep });
}

/** Whether pods of a namespace get sidecars: by its injection label, or by a revision where its pods are not ztunnel's. */
function hasSidecars(namespace: KubeObject): boolean {
  const labels = stringsAt(namespace, 'metadata', 'labels');
  return (
    labels['istio-injection'] === 'enabled' || (labels['istio.io/rev'] !== undefined && labels['istio.io/dataplane-mode'] !== 'ambient')
  );
}

export function isAmbient(istiod: KubeObject | undefined): boolean {
  return istiod !== undefined && istiodVariable(istiod, 'PILOT_ENABLE_AMBIENT') === 'true';
}

/** On by itself since 1.10 (istiod facts 3.2). Booleans as Go reads them. */
function registers(istiod: KubeObject, release: string): boolean {
  const value = istiodVariable(istiod, 'PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION') ?? '';
  return /^(1|t|true)$/i.test(value) || (!/^(0|f|false)$/i.test(value) && !isBefore(release, 10));
}

function limit(id: string, blocking: boolean, args: Readonly<Record<string, string>> = {}): ControlPlaneLimit {
  return { id, text: message(`istiod.limit.${id}`, args), nextStep: message(`istiod.limit.${id}.next`, args), blocking };
}
