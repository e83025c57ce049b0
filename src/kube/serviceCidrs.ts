import { isIP } from 'node:net';
import { isMeshError, MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, ClusterApi, KubeObject, ServiceCidrs } from '../mesh/ports.ts';
import { listAt, recordAt, textAt } from './json.ts';

/** Addresses that no service range can hold: "this network" (RFC 1122) and the discard prefix (RFC 6666). */
const IMPOSSIBLE = ['0.0.0.1', '100::1'];
const PROBE_NAME = 'mesh-expansion-cidr-probe';

type Calls = Pick<ClusterApi, 'list' | 'create' | 'delete' | 'context'>;

/**
 * The ranges of service addresses: all ServiceCIDR objects (Kubernetes 1.31+), else the API server's own words to a Service with an impossible
 * clusterIP (dry run). Throws `kube.service-cidr-unknown` where neither answers.
 */
export async function serviceCidrs(api: Calls, namespace: string, options?: CallOptions): Promise<ServiceCidrs> {
  const served = await fromServiceCidrObjects(api, options);
  if (served.length > 0) return { cidrs: served, source: 'ServiceCIDR' };
  const answers: string[] = [];
  const cidrs: string[] = [];
  for (const address of IMPOSSIBLE) {
    const answer = await probe(api, namespace, address, options);
    answers.push(answer);
    for (const cidr of rangesInAnswer(answer)) if (!cidrs.includes(cidr)) cidrs.push(cidr);
  }
  if (cidrs.length === 0) throw serviceCidrUnknown(api.context, answers[0] ?? '');
  return { cidrs, source: 'dry-run' };
}

/** `answer`: the API server's own words; a dump has none. */
export function serviceCidrUnknown(context: string, answer?: string): MeshError {
  return new MeshError({
    code: 'kube.service-cidr-unknown',
    userMessage:
      answer === undefined
        ? message('kube.service-cidr-unknown.snapshot', { name: context })
        : message('kube.service-cidr-unknown', { context, answer: answer.slice(0, 500) }),
    nextStep: message('kube.service-cidr-unknown.next', { context }),
    field: 'serviceCidr',
  });
}

export function cidrsOf(objects: readonly KubeObject[]): readonly string[] {
  return [
    ...new Set(
      objects.flatMap((object) => listAt(object.spec, 'cidrs')).filter((cidr): cidr is string => typeof cidr === 'string' && isCidr(cidr)),
    ),
  ];
}

/**
 * The range in an API server's refusal. Wordings since Kubernetes 1.9 (pkg/registry/core/service/ipallocator): "provided IP is not in the valid range. The range
 * of valid IPs is C", from 1.20 behind "failed to allocated ip:A with error:", then "failed to allocate IP A: the provided IP (A) is not in the valid range...".
 */
export function rangesInAnswer(answer: string): readonly string[] {
  return [...answer.matchAll(/range of valid IPs is (?:CIDR )?"?([0-9a-fA-F:.]+\/\d{1,3})/g)].map((match) => match[1] ?? '').filter(isCidr);
}

export function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

async function fromServiceCidrObjects(api: Calls, options?: CallOptions): Promise<readonly string[]> {
  for (const version of ['v1', 'v1beta1']) {
    try {
      const cidrs = cidrsOf(await api.list({ apiVersion: `networking.k8s.io/${version}`, kind: 'ServiceCIDR' }, options));
      if (cidrs.length > 0) return cidrs;
    } catch (error) {
      // Who may not list these may still ask by a dry run.
      if (!isMeshError(error, 'kube.forbidden')) throw error;
    }
  }
  return [];
}

/** The API server's words; an error other than a refusal of the Service is thrown. */
async function probe(api: Calls, namespace: string, address: string, options?: CallOptions): Promise<string> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: PROBE_NAME, namespace },
    spec: { clusterIP: address, ports: [{ name: 'tcp', port: 80, protocol: 'TCP' }] },
  };
  try {
    return await attempt(api, service, options, true);
  } catch (error) {
    const words = refusal(error);
    if (words === undefined) throw error;
    // Kubernetes 1.12 has the parameter and refuses it unless a feature gate is on. The address is impossible, so nothing can come of asking without it.
    if (!/dryRun.*(disabled|not supported|alpha)/i.test(words)) return words;
  }
  try {
    return await attempt(api, service, options, false);
  } catch (error) {
    const words = refusal(error);
    if (words === undefined) throw error;
    return words;
  }
}

async function attempt(api: Calls, service: KubeObject, options: CallOptions | undefined, dryRun: boolean): Promise<string> {
  const { object } = await api.create(service, { ...options, dryRun });
  // API servers before 1.12 do not know the parameter: what was made against all odds goes at once.
  const made = await api.list(
    { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, fieldSelector: `metadata.name=${PROBE_NAME}` },
    options,
  );
  if (made.some((other) => other.metadata.uid === object.metadata.uid)) {
    await api.delete(
      { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, name: PROBE_NAME },
      { ...options, uid: object.metadata.uid },
    );
  }
  return '';
}

function refusal(error: unknown): string | undefined {
  if (!isMeshError(error, 'kube.invalid') && !isMeshError(error, 'kube.server') && !isMeshError(error, 'kube.forbidden')) return undefined;
  const status = error.cause;
  const causes = listAt(recordAt(status, 'details'), 'causes').map((cause) => textAt(cause, 'message') ?? '');
  return [textAt(status, 'message') ?? '', ...causes].join('\n');
}
