import { serviceEvents } from '../cluster/serviceEvents.ts';
import { at, listAt, numberAt, textAt } from '../cluster/untrusted.ts';
import type { ClusterScope } from '../era.ts';
import type { LoadBalancer } from '../model.ts';
import type { CallOptions } from '../ports.ts';
import { gatewayRef } from './gatewayAddress.ts';

/** The east-west gateway's Service, as VMs find it (istiod facts 1.7). */
export async function readBalancers({ api, entry }: ClusterScope, options: CallOptions = {}): Promise<readonly LoadBalancer[]> {
  const ref = gatewayRef(entry);
  const service = await api.get(ref, options);
  const first = at(service, 'status', 'loadBalancer', 'ingress', 0);
  const [external] = listAt(service, 'spec', 'externalIPs');
  const address = textAt(first, 'ip') ?? (typeof external === 'string' ? external : undefined);
  const hostname = textAt(first, 'hostname');
  const state = service === undefined ? 'missing' : address !== undefined ? 'ready' : hostname !== undefined ? 'hostname' : 'pending';
  return [
    {
      ref,
      role: 'gateway',
      state,
      ...(state === 'hostname' ? { byHostname: true } : {}),
      address: address ?? hostname,
      ports: listAt(service, 'spec', 'ports').map((port) => ({
        port: numberAt(port, 'port') ?? 0,
        protocol: textAt(port, 'protocol') ?? 'TCP',
        name: textAt(port, 'name'),
      })),
      createdAt: service?.metadata.creationTimestamp,
      events: state === 'pending' ? await serviceEvents(api, ref, options) : [],
    },
  ];
}
