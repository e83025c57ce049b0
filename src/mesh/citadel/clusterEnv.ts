import ipaddr from 'ipaddr.js';
import type { ControlPlaneAuth, GeneratedFile, ValueSource } from '../model.ts';
import { isCidr } from '../names.ts';
import { problem } from '../problem.ts';
import type { ClusterEnvValue, ReleaseFacts } from './releases.ts';

export const CLUSTER_ENV = '/var/lib/istio/envoy/cluster.env';

export interface ClusterEnvInput {
  /** Ranges of cluster IPs, at least one, IPv4. */
  readonly cidrs: readonly string[];
  readonly cidrSource: ValueSource['from'];
  readonly namespace: string;
  readonly namespaceSource: ValueSource['from'];
  readonly auth: ControlPlaneAuth;
  readonly authSource: ValueSource['from'];
  readonly readAt?: string;
}

/**
 * cluster.env: what the script writes for the release (citadel facts 1.2), several ranges joined by commas (facts 4).
 * Throws `citadel.cidr-empty`, `citadel.cidr-invalid`, `citadel.ipv6`: an empty line would capture everything or nothing, depending on the release.
 */
export function clusterEnvFile(facts: ReleaseFacts, input: ClusterEnvInput): GeneratedFile {
  checkCidrs(input.cidrs);
  const values: Readonly<Record<ClusterEnvValue, { readonly value: string; readonly from: ValueSource['from'] }>> = {
    'service-cidr': { value: input.cidrs.join(','), from: input.cidrSource },
    namespace: { value: input.namespace, from: input.namespaceSource },
    auth: { value: input.auth, from: input.authSource },
  };
  return {
    path: CLUSTER_ENV,
    mode: 0o644,
    owner: 'istio-proxy',
    group: 'root',
    content: {
      kind: 'text',
      text: facts.clusterEnv.map(({ variable, value }) => `${variable}=${values[value].value}\n`).join(''),
      sources: facts.clusterEnv.map(({ value }) => [{ ...values[value], readAt: input.readAt }]),
    },
    readBy: [facts.units.sidecar, facts.units.nodeAgent],
    editable: true,
  };
}

export function checkCidrs(cidrs: readonly string[]): void {
  if (cidrs.length === 0) throw problem('citadel.cidr-empty', {}, { kind: 'bad-input', field: 'serviceCidr' });
  for (const cidr of cidrs) {
    if (!isCidr(cidr)) throw problem('citadel.cidr-invalid', { cidr }, { kind: 'bad-input', field: 'serviceCidr' });
    if (ipaddr.parseCIDR(cidr)[0].kind() === 'ipv6')
      throw problem('citadel.ipv6', { value: cidr, field: 'serviceCidr' }, { kind: 'bad-input', field: 'serviceCidr' });
  }
}
