import * as z from 'zod/mini';
import { isDnsLabel, isDnsSubdomain, isLabelValue, isPlainText, isQualifiedName } from '../mesh/names.ts';

/**
 * The shape of a WorkloadGroup as `kubectl get workloadgroup -o yaml` prints it (istiod facts 3.5). What the server writes itself (status, resourceVersion...) may be
 * there; a key of the spec that is not known is refused, because it would be lost. The message of each issue is the name of the broken rule.
 */

function text(rule: string, keeps: (value: string) => boolean) {
  return z.string(rule).check(z.refine(keeps, rule));
}

const port = z.int('port').check(z.gte(1, 'port'), z.lte(65535, 'port'));
const count = z.int('whole-number').check(z.gte(0, 'whole-number'), z.lte(0x7fff_ffff, 'whole-number'));
const key = z.string().check(z.refine(isQualifiedName, 'qualified-name'));
const labels = z.optional(z.record(key, text('label-value', isLabelValue), 'mapping'));
const annotations = z.optional(z.record(key, z.string('string'), 'mapping'));
const plain = text('plain-text', isPlainText);

const probe = z.strictObject(
  {
    initialDelaySeconds: z.optional(count),
    timeoutSeconds: z.optional(count),
    periodSeconds: z.optional(count),
    successThreshold: z.optional(count),
    failureThreshold: z.optional(count),
    httpGet: z.optional(
      z.strictObject(
        {
          path: z.optional(plain),
          port,
          host: z.optional(plain),
          scheme: z.optional(z.enum(['HTTP', 'HTTPS'], 'scheme')),
          httpHeaders: z.optional(z.array(z.strictObject({ name: plain, value: z.string('string') }, 'mapping'), 'list')),
        },
        'mapping',
      ),
    ),
    tcpSocket: z.optional(z.strictObject({ host: z.optional(plain), port }, 'mapping')),
    exec: z.optional(z.strictObject({ command: z.array(z.string('string'), 'list').check(z.minLength(1, 'list-empty')) }, 'mapping')),
    grpc: z.optional(z.strictObject({ port, service: z.optional(z.string('string')) }, 'mapping')),
  },
  'mapping',
);

const template = z.strictObject(
  {
    // An address belongs to one machine; it is an own rule, so that the answer says so.
    address: z.optional(z.undefined('template-address')),
    labels,
    ports: z.optional(z.record(text('dns-label', isDnsLabel), port, 'mapping')),
    network: z.optional(z.string('string')),
    locality: z.optional(plain),
    weight: z.optional(count),
    serviceAccount: z.optional(z.union([z.literal(''), text('dns-subdomain', isDnsSubdomain)], 'dns-subdomain')),
  },
  'mapping',
);

export const groupSchema = z.object(
  {
    apiVersion: z.enum(['networking.istio.io/v1', 'networking.istio.io/v1beta1', 'networking.istio.io/v1alpha3'], 'group-kind'),
    kind: z.literal('WorkloadGroup', 'group-kind'),
    metadata: z.object(
      { name: text('dns-subdomain', isDnsSubdomain), namespace: text('dns-label', isDnsLabel), labels, annotations },
      'mapping',
    ),
    spec: z.strictObject(
      {
        metadata: z.optional(z.strictObject({ labels, annotations }, 'mapping')),
        template,
        probe: z.optional(probe),
      },
      'mapping',
    ),
  },
  'mapping',
);

export type RawGroup = z.infer<typeof groupSchema>;
export type RawProbe = z.infer<typeof probe>;

/** Known keys below a path, to offer the nearest. */
export function knownGroupKeys(path: readonly PropertyKey[]): readonly string[] {
  const shapes: Readonly<Record<string, object>> = {
    spec: { metadata: 1, template: 1, probe: 1 },
    'spec.metadata': { labels: 1, annotations: 1 },
    'spec.template': template.shape,
    'spec.probe': probe.shape,
    'spec.probe.httpGet': { path: 1, port: 1, host: 1, scheme: 1, httpHeaders: 1 },
    'spec.probe.tcpSocket': { host: 1, port: 1 },
    'spec.probe.exec': { command: 1 },
    'spec.probe.grpc': { port: 1, service: 1 },
  };
  return Object.keys(shapes[path.filter((part) => typeof part === 'string').join('.')] ?? {});
}
