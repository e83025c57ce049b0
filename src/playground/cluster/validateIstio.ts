import { z } from 'zod';
import type { KubeObject } from '../../mesh/ports.ts';

/** The rules of Istio's CRDs that a user of the playground can run into (istiod facts 3.5), told as the API server tells them. */

const name = z.string();
const port = z.int().min(1).max(65_535);
const labels = z.record(name, z.string()).optional();
const ports = z
  .record(name.max(63), port)
  .refine((value) => Object.keys(value).length <= 128)
  .optional();
const entry = {
  address: z.string().max(256).optional(),
  ports,
  labels,
  network: z.string().max(2048).optional(),
  locality: z.string().max(2048).optional(),
  weight: z.int().min(0).optional(),
  serviceAccount: z.string().max(253).optional(),
};
const probeTime = z.int().min(0).optional();
const specs: Readonly<Record<string, z.ZodType>> = {
  WorkloadEntry: z
    .strictObject(entry)
    .refine(({ address = '', network = '' }) => address !== '' || network !== '', 'Address is required')
    .refine(({ address = '', ports: open }) => !address.startsWith('unix://') || open === undefined, 'UDS may not include ports'),
  WorkloadGroup: z.strictObject({
    metadata: z.strictObject({ labels, annotations: labels }).optional(),
    template: z.strictObject(entry),
    probe: z
      .strictObject({
        initialDelaySeconds: probeTime,
        timeoutSeconds: probeTime,
        periodSeconds: probeTime,
        successThreshold: probeTime,
        failureThreshold: probeTime,
        httpGet: z.looseObject({ port }).optional(),
        tcpSocket: z.looseObject({ port }).optional(),
        exec: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
        grpc: z.looseObject({ port }).optional(),
      })
      .refine(
        ({ httpGet, tcpSocket, exec, grpc }) => [httpGet, tcpSocket, exec, grpc].filter((one) => one !== undefined).length <= 1,
        'should be one of httpGet, tcpSocket, exec, grpc',
      )
      .optional(),
  }),
  ServiceEntry: z.looseObject({
    hosts: z.array(z.string()).min(1),
    ports: z
      .array(z.looseObject({ number: port, name }))
      .refine((all) => new Set(all.map(({ number }) => number)).size === all.length, 'port number cannot be duplicated')
      .optional(),
  }),
  Gateway: z.looseObject({
    servers: z.array(z.looseObject({ port: z.looseObject({ number: port, name }), hosts: z.array(z.string()).min(1) })),
  }),
  VirtualService: z.looseObject({ hosts: z.array(z.string()).min(1).optional() }),
};

export function istioProblem(object: KubeObject): string | undefined {
  const schema = object.apiVersion.startsWith('networking.istio.io/') ? specs[object.kind] : undefined;
  const parsed = schema?.safeParse(object.spec);
  if (parsed === undefined || parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  return `${['spec', ...(issue?.path ?? [])].join('.')}: Invalid value: ${issue?.message ?? ''}`;
}
