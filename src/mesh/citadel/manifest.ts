import { isMap, LineCounter, parseAllDocuments } from 'yaml';
import { message } from '../messages.ts';
import type { Finding } from '../model.ts';
import type { KubeObject, ObjectRef } from '../ports.ts';
import type { MeshError } from '../errors.ts';
import { balancerRef } from './loadBalancers.ts';
import { problem, refName } from '../problem.ts';
import type { ProviderFacts } from './providers.ts';
import type { BalancerFacts, ReleaseFacts } from './releases.ts';
import { at, listAt, numberAt, stringsAt, textAt } from '../cluster/untrusted.ts';

/** Path that findings about the manifest carry. */
export const MANIFEST = 'load-balancers.yaml';

export interface EditedManifest {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
}

/**
 * The load balancers as a person edited them. They must still be Services of the same names and namespaces and of type LoadBalancer, one of each; other
 * fields are free. Throws `citadel.manifest` (bad-input) with the line; what is allowed but doubtful is a finding.
 */
export function parseManifest(text: string, facts: ReleaseFacts, namespace: string, provider: ProviderFacts): EditedManifest {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const documents = Array.isArray(parsed) ? parsed : [];
  const seen = new Map<BalancerFacts, KubeObject>();
  const findings: Finding[] = [];
  for (const document of documents) {
    const line = lines.linePos(document.contents?.range[0] ?? document.range[0]).line;
    const [error] = document.errors;
    if (error !== undefined) throw refused('syntax', error.linePos?.[0].line ?? line, { text: error.message.split('\n')[0] ?? '' });
    if (document.contents === null || (!isMap(document.contents) && document.toJS() === null)) continue;
    const object = document.toJS({ maxAliasCount: 20 }) as unknown;
    const balancer = identify(object, facts, namespace, line);
    if (seen.has(balancer)) throw refused('twice', line, { name: balancer.name });
    seen.set(balancer, applicable(object, balancerRef(balancer, namespace)));
    findings.push(...examine(object, balancer, provider, line - 1));
  }
  const missing = facts.balancers.filter((balancer) => !seen.has(balancer));
  if (missing[0] !== undefined) throw refused('missing', undefined, { name: refName(balancerRef(missing[0], namespace)) });
  return { objects: facts.balancers.flatMap((balancer) => seen.get(balancer) ?? []), findings };
}

function identify(object: unknown, facts: ReleaseFacts, namespace: string, line: number): BalancerFacts {
  if (textAt(object, 'apiVersion') !== 'v1' || textAt(object, 'kind') !== 'Service')
    throw refused('kind', line, { kind: `${textAt(object, 'apiVersion') ?? '?'} ${textAt(object, 'kind') ?? '?'}` });
  const name = textAt(object, 'metadata', 'name') ?? '';
  const balancer = facts.balancers.find((one) => one.name === name);
  if (balancer === undefined) throw refused('name', line, { name, names: facts.balancers.map((one) => one.name).join(', ') });
  const wanted = balancerRef(balancer, namespace).namespace ?? '';
  const found = textAt(object, 'metadata', 'namespace') ?? '';
  if (found !== wanted) throw refused('namespace', line, { name, namespace: wanted, found });
  const type = textAt(object, 'spec', 'type') ?? '';
  if (type !== 'LoadBalancer') throw refused('type', line, { name, type });
  return balancer;
}

/** Without what the API server keeps by itself: an object copied from the cluster can be applied too. */
function applicable(object: unknown, ref: ObjectRef): KubeObject {
  const written = Object.entries(object as object).filter(([key]) => key !== 'status' && key !== 'metadata');
  const kept = Object.entries(at(object, 'metadata') as object).filter(([key]) => ['annotations', 'labels', 'finalizers'].includes(key));
  return {
    ...Object.fromEntries(written),
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: ref.name, namespace: ref.namespace, ...Object.fromEntries(kept) },
  };
}

function examine(object: unknown, balancer: BalancerFacts, provider: ProviderFacts, line: number): readonly Finding[] {
  const finding = (rule: string, severity: Finding['severity'], args: Record<string, string | number>): Finding => ({
    rule: `citadel.manifest.${rule}`,
    severity,
    text: message(`citadel.manifest.${rule}`, { name: balancer.name, ...args }),
    nextStep: message(`citadel.manifest.${rule}.next`, { name: balancer.name, ...args }),
    at: { path: MANIFEST, line },
  });
  const annotations = stringsAt(object, 'metadata', 'annotations');
  const changed = Object.entries(provider.annotations).filter(([key, value]) => annotations[key] !== value);
  const ports = new Set(
    listAt(object, 'spec', 'ports').map((port) => `${numberAt(port, 'port') ?? 0}/${textAt(port, 'protocol') ?? 'TCP'}`),
  );
  const lost = balancer.ports.filter(({ port, protocol }) => !ports.has(`${port}/${protocol}`)).map(({ port }) => port);
  const selector = stringsAt(object, 'spec', 'selector');
  const otherSelector =
    at(object, 'spec', 'selector') === undefined || Object.entries(balancer.selector).some(([key, value]) => selector[key] !== value);
  return [
    ...changed.map(([key, value]) => finding('public', 'error', { annotation: `${key}: ${value}` })),
    ...(lost.length > 0 ? [finding('ports', 'warning', { ports: lost.join(', ') })] : []),
    ...(otherSelector ? [finding('selector', 'warning', {})] : []),
  ];
}

function refused(rule: string, line: number | undefined, args: Record<string, string | number>): MeshError {
  const id = `citadel.manifest.refused.${rule}`;
  return problem(
    'citadel.manifest',
    { ...args, line: line ?? 0 },
    { id, kind: 'bad-input', field: line === undefined ? MANIFEST : `${MANIFEST}:${line}`, next: message('citadel.manifest.refused.next') },
  );
}
