import { clusterName } from '../editor/targets.ts';
import type { ObjectRef } from '../mesh/ports.ts';
import type { Command } from './command.ts';

const shown = ['Service', 'WorkloadGroup', 'WorkloadEntry', 'ServiceEntry', 'Gateway', 'VirtualService'];

/** The Kubernetes object behind a node, as the cluster has it. Only kinds that hold no secret are shown. */
export const showObject: Command = (app) => async (node) => {
  const cluster = clusterName(node);
  const ref = refOf(node);
  if (cluster === undefined || ref === undefined || !shown.includes(ref.kind)) return;
  const context = (await app.session.inventory()).clusters.find(({ name }) => name === cluster)?.context;
  if (context === undefined) return;
  const { connections } = await app.session.backend();
  const object = await app.prompts.interactively(async () => (await connections.cluster(context)).get(ref));
  if (object !== undefined) await app.showText(`${ref.namespace ?? ''}.${ref.name}.json`, `${JSON.stringify(object, null, 2)}\n`, 'json');
};

function refOf(node: unknown): ObjectRef | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  if ('ref' in node) return asRef(node.ref);
  if ('balancer' in node && typeof node.balancer === 'object' && node.balancer !== null && 'ref' in node.balancer)
    return asRef(node.balancer.ref);
  if ('facts' in node && typeof node.facts === 'object' && node.facts !== null && 'ref' in node.facts) return asRef(node.facts.ref);
  if ('registered' in node && typeof node.registered === 'object' && node.registered !== null && 'ref' in node.registered)
    return asRef(node.registered.ref);
  return undefined;
}

function asRef(value: unknown): ObjectRef | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('kind' in value) || !('apiVersion' in value)) return undefined;
  const namespace = 'namespace' in value && typeof value.namespace === 'string' ? value.namespace : undefined;
  return { apiVersion: String(value.apiVersion), kind: String(value.kind), name: String(value.name), namespace };
}
