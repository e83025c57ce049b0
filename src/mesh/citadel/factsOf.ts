import type { ClusterScope } from '../era.ts';
import { problem } from '../problem.ts';
import { releaseFacts, type ReleaseFacts } from './releases.ts';

/** Facts of the scope's release. Throws `cluster.release-unsupported` where the table has none. */
export function factsOf(scope: Pick<ClusterScope, 'controlPlane'>): ReleaseFacts {
  const facts = releaseFacts(scope.controlPlane.release);
  if (facts === undefined)
    throw problem('cluster.release-unsupported', { release: scope.controlPlane.release }, { kind: 'bad-input', field: 'istio.release' });
  return facts;
}
