import { z } from 'zod';
import type { KubeObject } from '../../mesh/ports.ts';

/** The parts of Kubernetes objects that the playground's controllers read. What does not fit becomes empty: the API validates on entry. */

const text = z.record(z.string(), z.string());
const servicePort = z.object({
  name: z.string().optional(),
  port: z.number(),
  protocol: z.string().default('TCP'),
  targetPort: z.union([z.number(), z.string()]).optional(),
});
const serviceSpec = z.object({
  type: z.string().default('ClusterIP'),
  clusterIP: z.string().optional(),
  selector: text.optional(),
  ports: z.array(servicePort).default([]),
});
const serviceStatus = z.object({
  loadBalancer: z.object({ ingress: z.array(z.object({ ip: z.string().optional() })).default([]) }).default({ ingress: [] }),
});
const endpointPort = z.object({ name: z.string().optional(), port: z.number(), protocol: z.string().default('TCP') });
const subset = z.object({ addresses: z.array(z.object({ ip: z.string() })).default([]), ports: z.array(endpointPort).default([]) });
const podSpec = z.object({
  containers: z
    .array(z.object({ ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })).default([]) }))
    .default([]),
});

export type ServiceSpec = z.infer<typeof serviceSpec>;
export type Subset = z.infer<typeof subset>;

export function serviceSpecOf(object: KubeObject): ServiceSpec {
  const parsed = serviceSpec.safeParse(object.spec ?? {});
  return parsed.success ? parsed.data : { type: 'ClusterIP', ports: [] };
}

/** Address that the load balancer got; undefined while it is pending. */
export function ingressAddressOf(object: KubeObject): string | undefined {
  const parsed = serviceStatus.safeParse(object.status ?? {});
  return parsed.success ? parsed.data.loadBalancer.ingress[0]?.ip : undefined;
}

export function subsetsOf(object: KubeObject | undefined): readonly Subset[] {
  const parsed = z.array(subset).safeParse(object?.subsets ?? []);
  return parsed.success ? parsed.data : [];
}

export function podAddressOf(object: KubeObject): string | undefined {
  const parsed = z.object({ podIP: z.string() }).safeParse(object.status ?? {});
  return parsed.success ? parsed.data.podIP : undefined;
}

/** Number of a Service's targetPort on one pod: a name is looked up among the container's ports. */
export function targetPortOn(pod: KubeObject, target: number | string | undefined, port: number): number | undefined {
  if (target === undefined) return port;
  if (typeof target === 'number') return target;
  const parsed = podSpec.safeParse(pod.spec ?? {});
  if (!parsed.success) return undefined;
  return parsed.data.containers.flatMap((container) => container.ports).find((entry) => entry.name === target)?.containerPort;
}
