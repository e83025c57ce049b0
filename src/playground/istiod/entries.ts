import { z } from 'zod';
import type { KubeObject, ObjectRef } from '../../mesh/ports.ts';
import type { ObjectStore } from '../cluster/store.ts';
import type { ProxyNode } from './node.ts';

/** WorkloadEntries as istiod writes them (istiod facts 3.3, 3.4). */

export const NETWORKING = 'networking.istio.io/v1';
const CONTROLLER = 'istiod-5d9c8b7f6-x7k2p';
const CONNECTED = 'istio.io/connectedAt';
const DISCONNECTED = 'istio.io/disconnectedAt';
const GROUP = 'istio.io/autoRegistrationGroup';
const PROBED = 'proxy.istio.io/health-checks-enabled';

const strings = z.record(z.string(), z.string()).default({});
const groupSpec = z.object({
  metadata: z.object({ labels: strings, annotations: strings }).default({ labels: {}, annotations: {} }),
  template: z.looseObject({ labels: strings, serviceAccount: z.string().default('') }).default({ labels: {}, serviceAccount: '' }),
});

export function groupRef(node: ProxyNode): ObjectRef {
  return { apiVersion: NETWORKING, kind: 'WorkloadGroup', namespace: node.namespace, name: node.group ?? '' };
}

/** Name rule: group, first address, network; the last 253 characters. */
export function entryRef(node: ProxyNode): ObjectRef | undefined {
  const automatic = [node.group, node.address.replaceAll(':', '-'), ...(node.network === '' ? [] : [node.network])].join('-').slice(-253);
  const name = node.entry ?? (node.group === undefined ? undefined : automatic);
  return name === undefined ? undefined : { apiVersion: NETWORKING, kind: 'WorkloadEntry', namespace: node.namespace, name };
}

/** The account that machines of a group have; undefined where it is no group. */
export function accountOf(group: KubeObject): string | undefined {
  const parsed = groupSpec.safeParse(group.spec);
  if (!parsed.success) return undefined;
  const { serviceAccount } = parsed.data.template;
  return serviceAccount === '' ? 'default' : serviceAccount;
}

/** The entry of a machine that connects: a new one copies the group's template; of one that is there only the marks change. */
export function connectedEntry(
  present: KubeObject | undefined,
  group: KubeObject | undefined,
  node: ProxyNode,
  at: Date,
): KubeObject | undefined {
  const base = present ?? (group === undefined ? undefined : fresh(group, node));
  if (base === undefined) return undefined;
  const annotations = without(base.metadata.annotations, DISCONNECTED);
  const marks = {
    [CONNECTED]: at.toISOString(),
    'istio.io/workloadController': CONTROLLER,
    ...(node.group === undefined ? {} : { [GROUP]: node.group }),
    ...(node.probe === undefined ? {} : { [PROBED]: 'true' }),
  };
  return { ...base, metadata: { ...base.metadata, annotations: { ...annotations, ...marks } } };
}

function fresh(group: KubeObject, node: ProxyNode): KubeObject {
  const { metadata, template } = groupSpec.parse(group.spec);
  const own = without(node.labels, 'istio-locality');
  const labels = { ...template.labels, ...metadata.labels, ...own, 'networking.istio.io/tunnel': 'http' };
  const { apiVersion, kind } = group;
  const owner = { apiVersion, kind, name: group.metadata.name, uid: group.metadata.uid, controller: true };
  return {
    apiVersion: NETWORKING,
    kind: 'WorkloadEntry',
    metadata: {
      name: entryRef(node)?.name ?? '',
      namespace: node.namespace,
      labels,
      annotations: metadata.annotations,
      ownerReferences: [owner],
    } as KubeObject['metadata'],
    spec: {
      ...template,
      address: node.address,
      labels,
      serviceAccount: accountOf(group),
      ...(node.network === '' ? {} : { network: node.network }),
    },
  };
}

export function disconnectedEntry(entry: KubeObject, at: Date): KubeObject {
  const annotations = without(entry.metadata.annotations, CONNECTED);
  return { ...entry, metadata: { ...entry.metadata, annotations: { ...annotations, [DISCONNECTED]: at.toISOString() } } };
}

/** True where the entry is still as it was left at that time, and istiod made it. */
export function isAbandoned(entry: KubeObject, at: Date): boolean {
  const annotations = entry.metadata.annotations ?? {};
  return annotations[GROUP] !== undefined && annotations[CONNECTED] === undefined && annotations[DISCONNECTED] === at.toISOString();
}

/** Sent on a change alone: an old time is normal. */
export function withHealth(entry: KubeObject, healthy: boolean, reason: string | undefined, at: Date): KubeObject {
  const status = healthy ? 'True' : 'False';
  const before = conditionsOf(entry).find(({ type }) => type === 'Healthy');
  if (before?.status === status) return entry;
  const time = at.toISOString();
  const condition = { type: 'Healthy', status, ...(healthy ? {} : { message: reason }), lastProbeTime: time, lastTransitionTime: time };
  const others = conditionsOf(entry).filter(({ type }) => type !== 'Healthy');
  return { ...entry, status: { ...(entry.status as object | undefined), conditions: [...others, condition] } };
}

/** Whether clients are sent to it: one that is to be probed counts as unhealthy until it said otherwise. */
export function isServing(entry: KubeObject): boolean {
  if (entry.metadata.annotations?.[PROBED] !== 'true') return true;
  return conditionsOf(entry).some(({ type, status }) => type === 'Healthy' && status === 'True');
}

function conditionsOf(entry: KubeObject): readonly { readonly type: string; readonly status: string }[] {
  const parsed = z.object({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })) }).safeParse(entry.status);
  return parsed.success ? parsed.data.conditions : [];
}

/** Entries go with the group that they were made of. */
export function removeOwned(store: ObjectStore, group: KubeObject): void {
  const owned = ({ metadata }: KubeObject): boolean => {
    const parsed = z.object({ ownerReferences: z.array(z.object({ uid: z.string() })) }).safeParse(metadata);
    return parsed.success && parsed.data.ownerReferences.some(({ uid }) => uid === group.metadata.uid);
  };
  for (const { metadata } of store.list({ apiVersion: NETWORKING, kind: 'WorkloadEntry' }).filter(owned))
    store.remove({ apiVersion: NETWORKING, kind: 'WorkloadEntry', namespace: metadata.namespace, name: metadata.name });
}

function without(values: Readonly<Record<string, string>> = {}, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== key));
}
