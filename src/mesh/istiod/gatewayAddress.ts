import { at, listAt, textAt } from '../cluster/untrusted.ts';
import type { ClusterScope, VmScope } from '../era.ts';
import type { ClusterEntry, ControlPlane, ValueSource } from '../model.ts';
import { isAddress, isDnsSubdomain } from '../names.ts';
import type { CallOptions, KubeObject, ObjectRef } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { readable } from './meshData.ts';

/** The gateway by which VMs reach istiod (istiod facts 1.7, 3.1). */

export const ADDRESS_FIELD = 'status.loadBalancer.ingress[0].ip';
const HOSTNAME_FIELD = 'status.loadBalancer.ingress[0].hostname';
/** The Service of the gateway that Istio's own script and guides make. */
export const DEFAULT_SERVICE = 'istio-eastwestgateway';
/** Id of the control plane's detail that holds the gateway's host name. */
export const GATEWAY_DETAIL = 'gateway-address';

/** NAME or NAME.NAMESPACE of the inventory; without a namespace it is the control plane's. */
export function gatewayRef({ ingress, istio }: ClusterEntry): ObjectRef {
  const [name = DEFAULT_SERVICE, namespace = istio.namespace] = (ingress?.service ?? DEFAULT_SERVICE).split('.');
  return { apiVersion: 'v1', kind: 'Service', namespace, name };
}

export interface GatewayPlace {
  readonly ref: ObjectRef;
  readonly service: KubeObject | undefined;
  /** Address or host name; undefined where the cluster has not given one yet. */
  readonly place: ValueSource | undefined;
}

/** Where the gateway is: the inventory's word, else its Service's. Reads only; an account that may not read the Service knows the inventory's word alone. */
export async function readGateway({ entry, api }: Pick<ClusterScope, 'entry' | 'api'>, options?: CallOptions): Promise<GatewayPlace> {
  const ref = gatewayRef(entry);
  const address = entry.ingress?.address;
  const service = await (address === undefined ? api.get(ref, options) : readable(api.get(ref, options)));
  const written: ValueSource | undefined =
    address === undefined ? undefined : { value: address, from: { kind: 'inventory', field: 'ingress.address' } };
  return { ref, service, place: written ?? placeOf(ref, service) };
}

function placeOf(ref: ObjectRef, service: KubeObject | undefined): ValueSource | undefined {
  const found = (value: string | undefined, field: string): ValueSource | undefined =>
    value === undefined ? undefined : { value, from: { kind: 'object', object: ref, field } };
  const [external] = listAt(service, 'spec', 'externalIPs');
  const first = at(service, 'status', 'loadBalancer', 'ingress', 0);
  return (
    found(textAt(first, 'ip'), ADDRESS_FIELD) ??
    found(textAt(first, 'hostname'), HOSTNAME_FIELD) ??
    found(typeof external === 'string' ? external : undefined, 'spec.externalIPs[0]')
  );
}

/** The host name that has to be resolved on the VM; undefined where the gateway has an address. */
export function gatewayHostname(entry: ClusterEntry, controlPlane: ControlPlane): string | undefined {
  const name = entry.ingress?.address ?? controlPlane.details?.find(({ id }) => id === GATEWAY_DETAIL)?.value;
  return name === undefined || isAddress(name) || !isDnsSubdomain(name) ? undefined : name;
}

/** Whether the inventory has VMs call istiod by the gateway's host name, and not by istiod's own. */
export function callsByHostname({ ingress }: ClusterEntry): boolean {
  return ingress?.hostname === 'san';
}

/** The gateway's host name as the control plane's details have it, where VMs call istiod by it. */
export function calledByHostname(entry: ClusterEntry, controlPlane: ControlPlane): string | undefined {
  return callsByHostname(entry) ? gatewayHostname(entry, controlPlane) : undefined;
}

/** The place as the name that VMs call istiod by; undefined where they call it by its own, or the place is no name. */
export function placeAsName(entry: ClusterEntry, place: ValueSource | undefined): ValueSource | undefined {
  return callsByHostname(entry) && place !== undefined && !isAddress(place.value) && isDnsSubdomain(place.value) ? place : undefined;
}

/**
 * The gateway's host name, where the inventory has VMs call istiod by it; undefined where they call istiod by its own name. Throws
 * `istiod.gateway-missing`, `istiod.gateway-pending`, `istiod.gateway-no-name`, `istiod.gateway-place`.
 */
export async function calledHostname(scope: Pick<ClusterScope, 'entry' | 'api'>, options?: CallOptions): Promise<ValueSource | undefined> {
  if (!callsByHostname(scope.entry)) return undefined;
  const { ref, service, place } = await readGateway(scope, options);
  const name = refName(ref);
  if (place === undefined) throw problem(service === undefined ? 'istiod.gateway-missing' : 'istiod.gateway-pending', { name });
  const { value } = place;
  if (isAddress(value)) throw problem('istiod.gateway-no-name', { name, value }, { kind: 'bad-input', field: 'ingress.hostname' });
  if (!isDnsSubdomain(value)) throw problem('istiod.gateway-place', { name, value });
  return place;
}

/**
 * The address for the VM's hosts file; never empty (istioctl writes an empty file: istiod facts 0.3). A host name is resolved by the VM itself. Throws
 * `istiod.gateway-missing`, `istiod.gateway-pending`, `istiod.gateway-unresolved`, `istiod.gateway-place`.
 */
export async function gatewayAddress(scope: VmScope, present: string | undefined, options?: CallOptions): Promise<ValueSource> {
  const { ref, service, place } = await readGateway(scope, options);
  const name = refName(ref);
  if (place === undefined) throw problem(service === undefined ? 'istiod.gateway-missing' : 'istiod.gateway-pending', { name });
  if (isAddress(place.value)) return place;
  if (!isDnsSubdomain(place.value)) throw problem('istiod.gateway-place', { name, value: place.value });
  // The probe asked for the name that the control plane was found with; the Service may have another since.
  const found = scope.state?.resolved?.[place.value] ?? (await scope.resolve?.(place.value, options)) ?? [];
  const addresses = found.filter(isAddress);
  // A balancer with several addresses answers with them in turn: one that is still among them is as good as any.
  const address = addresses.find((one) => one === present) ?? addresses.find((one) => !one.includes(':')) ?? addresses[0];
  if (address === undefined)
    throw problem('istiod.gateway-unresolved', { name, hostname: place.value, vm: scope.vm.name }, { field: 'ingress.address' });
  return { value: address, from: { kind: 'host', field: `getent ahosts ${place.value}` } };
}
