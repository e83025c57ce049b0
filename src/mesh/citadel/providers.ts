import type { Provider } from '../model.ts';
import type { KubeObject } from '../ports.ts';
import { problem } from '../problem.ts';
import { textAt } from '../cluster/untrusted.ts';

/** What makes a provider's load balancers internal, and how its nodes are known. A further provider is a further row. */
export interface ProviderFacts {
  readonly provider: Provider;
  /** Annotations of every load balancer (citadel facts 3). */
  readonly annotations: Readonly<Record<string, string>>;
}

const supported: readonly ProviderFacts[] = [{ provider: 'gcp', annotations: { 'cloud.google.com/load-balancer-type': 'internal' } }];

/** Scheme of a node's spec.providerID. */
const schemes: Readonly<Record<string, Provider>> = {
  gce: 'gcp',
  aws: 'aws',
  azure: 'azure',
  openstack: 'openstack',
  qcloud: 'tencent',
  tencentcloud: 'tencent',
  huaweicloud: 'huawei',
  alicloud: 'alibaba',
};

/** The provider that all nodes agree on; undefined where they do not, or where there is none. */
export function detectProvider(nodes: readonly KubeObject[]): Provider | undefined {
  const found = new Set(nodes.map((node) => schemes[/^([a-z0-9]+):\/\//.exec(textAt(node, 'spec', 'providerID') ?? '')?.[1] ?? '']));
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

/** Throws `cluster.provider-unknown` where none is known, `cluster.provider-unsupported` by name where it is not served yet. */
export function providerFacts(provider: Provider | undefined): ProviderFacts {
  if (provider === undefined) throw problem('cluster.provider-unknown', {}, { kind: 'bad-input', field: 'loadBalancers.provider' });
  const facts = supported.find((one) => one.provider === provider);
  if (facts === undefined)
    throw problem(
      'cluster.provider-unsupported',
      { provider, supported: supported.map((one) => one.provider).join(', ') },
      { kind: 'bad-input', field: 'loadBalancers.provider' },
    );
  return facts;
}
