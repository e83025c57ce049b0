import { parse } from 'yaml';
import { z } from 'zod';
import { readEnv } from '../machine/files.ts';
import type { Machine } from '../machine/machine.ts';

const port = z.number();
const probeSchema = z.object({
  httpGet: z.object({ port, path: z.string().default('/'), host: z.string().optional(), scheme: z.string().default('HTTP') }).optional(),
  tcpSocket: z.object({ port }).optional(),
  exec: z.object({ command: z.array(z.string()) }).optional(),
  grpc: z.object({ port }).optional(),
});
const meshSchema = z.object({
  defaultConfig: z.object({ discoveryAddress: z.string().optional(), readinessProbe: probeSchema.optional() }).default({}),
});

export type NodeProbe = z.infer<typeof probeSchema>;

/** What a machine's agent says of itself, out of the files it was started on (istiod facts 2.3, 3.3). */
export interface ProxyNode {
  readonly namespace: string;
  readonly account: string;
  /** Group that istiod makes the entry of. */
  readonly group: string | undefined;
  /** Entry that a person made. */
  readonly entry: string | undefined;
  readonly address: string;
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly probe: NodeProbe | undefined;
  /** HOST:PORT. */
  readonly discovery: string;
  readonly authority: string;
  readonly capturesDns: boolean;
}

export function readNode({ files, address }: Machine): ProxyNode {
  const env: Readonly<Record<string, string | undefined>> = {
    ...readEnv(files.text('/var/lib/istio/envoy/sidecar.env')),
    ...readEnv(files.text('/var/lib/istio/envoy/cluster.env')),
  };
  const mesh = readMesh(files.text('/etc/istio/config/mesh'));
  const istiod = `istiod.${env.ISTIO_SYSTEM_NAMESPACE ?? 'istio-system'}.svc:15012`;
  return {
    namespace: env.POD_NAMESPACE ?? env.ISTIO_NAMESPACE ?? 'default',
    account: env.SERVICE_ACCOUNT ?? 'default',
    group: present(env.ISTIO_META_AUTO_REGISTER_GROUP),
    entry: present(env.ISTIO_META_WORKLOAD_ENTRY),
    address: present(env.ISTIO_SVC_IP) ?? address,
    network: env.ISTIO_META_NETWORK ?? '',
    labels: readLabels(env.ISTIO_METAJSON_LABELS),
    probe: mesh.readinessProbe,
    discovery: mesh.discoveryAddress ?? istiod,
    authority: present(env.CA_ADDR) ?? istiod,
    capturesDns: env.ISTIO_META_DNS_CAPTURE === 'true',
  };
}

function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function readMesh(text = ''): z.infer<typeof meshSchema>['defaultConfig'] {
  try {
    const parsed = meshSchema.safeParse(parse(text) ?? {});
    return parsed.success ? parsed.data.defaultConfig : {};
  } catch {
    return {};
  }
}

function readLabels(text = '{}'): Readonly<Record<string, string>> {
  try {
    const parsed = z.record(z.string(), z.string()).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
