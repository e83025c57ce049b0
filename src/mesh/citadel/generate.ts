import type { ClusterScope, VmScope } from '../era.ts';
import type { GeneratedFile, ValueSource } from '../model.ts';
import type { CallOptions, ProbeRequest } from '../ports.ts';
import { CERT_CHAIN, certificateFiles, KEY, readCredentials, ROOT_CERT } from './certificates.ts';
import { checkCidrs, CLUSTER_ENV, clusterEnvFile } from './clusterEnv.ts';
import { controlPlaneAuth } from './detect.ts';
import { kubednsFile, KUBEDNS } from './dnsmasq.ts';
import { balancerAddresses, readBalancers } from './loadBalancers.ts';
import { problem } from '../problem.ts';
import { factsOf } from './factsOf.ts';
import { DHCLIENT_HOOK, DNSMASQ_DROP_IN, RESOLVED_DROP_IN, resolverFiles, resolverInputs } from './resolver.ts';
import { SIDECAR_ENV, sidecarEnvFile } from './sidecarEnv.ts';

/** What `generate` asks of a VM that can be reached: facts, and the files that are merged with what is there. */
export function hostInputs(): ProbeRequest {
  return {
    facts: true,
    manifest: true,
    files: [
      ...[SIDECAR_ENV, ...resolverInputs].map((path) => ({ path, want: 'text' }) as const),
      ...[CERT_CHAIN, KEY].map((path) => ({ path, want: 'certificate' }) as const),
      ...[ROOT_CERT, CLUSTER_ENV, KUBEDNS, DNSMASQ_DROP_IN, RESOLVED_DROP_IN, DHCLIENT_HOOK].map(
        (path) => ({ path, want: 'hash' }) as const,
      ),
    ],
  };
}

/**
 * Every file of a VM (citadel facts 1, 2, 4). All of the cluster's objects are read at once. Throws what is missing or wrong, see the file of each concern;
 * with `scope.state` the files that depend on the machine (its resolver's) are among them, without it they are not.
 */
export async function generate(scope: VmScope, options: CallOptions = {}): Promise<readonly GeneratedFile[]> {
  const facts = factsOf(scope);
  const { entry, api, vm, state } = scope;
  const now = scope.ports.clock.now();
  const readAt = now.toISOString();
  const [balancers, cidrs, { auth, from: authSource }, credentials] = await Promise.all([
    readBalancers(scope, options),
    serviceCidrs(scope, options),
    controlPlaneAuth(entry, api, options),
    readCredentials(api, vm, now, options),
  ]);
  const onHost = state?.files.find(({ path }) => path === SIDECAR_ENV);
  return [
    kubednsFile(facts, balancerAddresses(balancers, readAt), entry.istio.namespace, entry.clusterDomain),
    clusterEnvFile(facts, {
      ...cidrs,
      namespace: entry.istio.namespace,
      namespaceSource: { kind: 'inventory', field: 'istio.namespace' },
      auth,
      authSource,
      readAt,
    }),
    sidecarEnvFile(facts, { vm, address: addressSource(scope), auth, onHost: onHost?.exists === true ? (onHost.text ?? '') : undefined }),
    ...certificateFiles(facts, credentials, now, state),
    ...(state?.facts === undefined ? [] : resolverFiles(state, entry.istio.namespace, entry.clusterDomain)),
  ];
}

function addressSource({ vm, address }: VmScope): ValueSource | undefined {
  if (address === undefined) return undefined;
  return { value: address, from: vm.address === undefined ? { kind: 'host', field: 'address' } : { kind: 'inventory', field: 'address' } };
}

/** Ranges of cluster IPs: the inventory's, else what the API server says of itself (never guessed). */
async function serviceCidrs(
  { entry, api }: ClusterScope,
  options: CallOptions,
): Promise<{ readonly cidrs: readonly string[]; readonly cidrSource: ValueSource['from'] }> {
  if (entry.serviceCidr !== undefined) {
    checkCidrs(entry.serviceCidr);
    return { cidrs: entry.serviceCidr, cidrSource: { kind: 'inventory', field: 'serviceCidr' } };
  }
  const found = await api.serviceCidrs(options);
  const cidrSource: ValueSource['from'] =
    found.source === 'dry-run'
      ? { kind: 'rule', facts: 'recipes, Kubernetes API: dry-run create with an impossible clusterIP' }
      : { kind: 'object', object: { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', name: 'kubernetes' }, field: 'spec.cidrs' };
  // A dual-stack cluster has both families; this era's capture knows IPv4 alone (facts 4).
  const cidrs = found.cidrs.filter((cidr) => !cidr.includes(':'));
  if (cidrs.length === 0 && found.cidrs[0] !== undefined) throw problem('citadel.ipv6', { value: found.cidrs[0], field: 'serviceCidr' });
  return { cidrs, cidrSource };
}
