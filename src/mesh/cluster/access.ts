import type { ClusterScope } from '../era.ts';
import type { Access, AccessAnswer, CallOptions } from '../ports.ts';
import { problem } from '../problem.ts';

/** What the user's account may do in a cluster, asked before anything is started. */

/** The questions that are answered with "no". */
export async function deniedAccess(
  { api }: Pick<ClusterScope, 'api'>,
  questions: readonly Access[],
  options?: CallOptions,
): Promise<readonly AccessAnswer[]> {
  return (await api.can(questions, options)).filter(({ allowed }) => !allowed);
}

/** Throws `cluster.access-denied` with everything that is denied. */
export async function assertAccess(
  scope: Pick<ClusterScope, 'api' | 'entry'>,
  questions: readonly Access[],
  options?: CallOptions,
): Promise<void> {
  const denied = await deniedAccess(scope, questions, options);
  if (denied.length > 0) throw problem('cluster.access-denied', { context: scope.entry.context, list: denied.map(accessText).join('; ') });
}

/** `create serviceaccounts/token (vm)`, `patch gateways.networking.istio.io (istio-system)`: as people write it. */
export function accessText({ verb, group, resource, namespace }: Access): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` (${namespace})`}`;
}
