import * as z from 'zod/mini';
import { gatewayHostnames, providers } from './model.ts';
import {
  isAddress,
  isCidr,
  isClusterName,
  isDnsLabel,
  isDnsSubdomain,
  isHostAlias,
  isLabelValue,
  isMachineAddress,
  isPlainText,
  isQualifiedName,
  isRelease,
  isServiceName,
  isServiceReference,
} from './names.ts';

/**
 * The schema of mesh-expansion.yaml (design: Contracts): parsing, completion in the editor and form validation rest on it.
 * The message of each issue is the name of the broken rule; `inventoryProblems.ts` turns it into text.
 */

function text(rule: string, keeps: (value: string) => boolean, description: string, pattern?: RegExp) {
  const base = z.string(rule).check(z.refine(keeps, rule), z.describe(description));
  return pattern === undefined ? base : base.check(z.meta({ pattern: pattern.source }));
}

const dnsPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const port = z.int('port').check(z.gte(1, 'port'), z.lte(65535, 'port'));
const flag = (description: string) => z.optional(z.boolean('boolean').check(z.describe(description)));

const istio = z.strictObject(
  {
    namespace: z.optional(text('dns-label', isDnsLabel, "The control plane's namespace. Default: istio-system.", dnsPattern)),
    release: z.optional(text('release', isRelease, 'Istio release, e.g. 1.0.3. Default: detected from the image tag.')),
    clusterId: z.optional(text('plain-text', isPlainText, "Cluster ID (istiod era). Default: from the injector's values.")),
    controlPlaneAuth: z.optional(
      z
        .enum(['MUTUAL_TLS', 'NONE'], 'control-plane-auth')
        .check(z.describe('Citadel era. Default: from the mesh ConfigMap, else MUTUAL_TLS.')),
    ),
    revision: z.optional(text('dns-label', isDnsLabel, 'Revision of istiod (istiod era). Default: the default revision.', dnsPattern)),
  },
  'mapping',
);

const cluster = z.strictObject(
  {
    name: z.optional(text('cluster-name', isClusterName, 'What VMs and services refer to. Default: the context.')),
    context: text('cluster-name', isClusterName, 'Context of the kubeconfig. --context NAME=CONTEXT overrides it on one machine.'),
    istio: z.optional(istio),
    serviceCidr: z.optional(
      z
        .array(text('cidr', isCidr, 'A range of cluster IPs, e.g. 10.63.240.0/20.'), 'list')
        .check(z.minLength(1, 'list-empty'), z.describe('Ranges of cluster IPs that the sidecar captures. Default: discovered.')),
    ),
    clusterDomain: z.optional(text('dns-subdomain', isDnsSubdomain, 'DNS domain of the cluster. Default: cluster.local.')),
    ingress: z.optional(
      z.strictObject(
        {
          service: z.optional(
            text(
              'service-reference',
              isServiceReference,
              'NAME or NAME.NAMESPACE of the gateway where VMs reach istiod (istiod era). Default: istio-eastwestgateway.',
            ),
          ),
          address: z.optional(
            text(
              'address-or-name',
              (value) => isAddress(value) || isDnsSubdomain(value),
              'Address of the gateway. Default: from its service.',
            ),
          ),
          hostname: z.optional(
            z
              .enum(gatewayHostnames, 'gateway-hostname')
              .check(
                z.describe(
                  "A gateway's host name (istiod era). resolve: the VM resolves it, and the address goes into /etc/hosts. san: the VM calls istiod by it (ISTIOD_SAN), /etc/hosts stays as it is, and istiod must have the name in ISTIOD_CUSTOM_HOST. Default: resolve.",
                ),
              ),
          ),
        },
        'mapping',
      ),
    ),
    loadBalancers: z.optional(
      z.strictObject(
        {
          provider: z.optional(
            z
              .enum(providers, 'provider')
              .check(
                z.describe(
                  "Who makes the load balancers internal (citadel era). Default: detected from the nodes' providerID; neither detected nor chosen is refused.",
                ),
              ),
          ),
        },
        'mapping',
      ),
    ),
  },
  'mapping',
);

const vm = z.strictObject(
  {
    name: text('host-alias', isHostAlias, "The VM's name, unique in the inventory."),
    host: z.optional(text('host-alias', isHostAlias, 'SSH host alias. Default: the name.')),
    cluster: text('cluster-name', isClusterName, 'Name of a cluster of this inventory.'),
    namespace: text('dns-label', isDnsLabel, 'Namespace of the VM in the mesh.', dnsPattern),
    serviceAccount: z.optional(text('dns-subdomain', isDnsSubdomain, 'Service account of the VM. Default: default.')),
    address: z.optional(
      text('machine-address', isMachineAddress, 'Address of the VM. Default: asked from the VM, never guessed from several.'),
    ),
    inboundPorts: z.optional(
      z
        .union([z.array(port, 'list'), z.literal('*')], 'ports')
        .check(z.describe('Captured inbound TCP ports, or "*" for all (citadel era).')),
    ),
    workloadGroup: z.optional(text('dns-subdomain', isDnsSubdomain, 'WorkloadGroup of the VM (istiod era).')),
    autoRegister: flag('Let istiod register the VM (istiod era). Default: true.'),
    captureDns: flag('Let the sidecar answer DNS (istiod era). Default: true.'),
    externalAddress: z.optional(
      text('machine-address', isMachineAddress, 'Address others reach the VM by, when not its own (istiod era).'),
    ),
  },
  'mapping',
);

const servicePort = z.strictObject(
  {
    name: z.optional(
      text(
        'dns-label',
        isDnsLabel,
        'Name of the port; Istio reads the protocol from what stands before the first -. Default: http for 80 and 8080, https for 443, mysql for 3306, else the number.',
        dnsPattern,
      ),
    ),
    port: port.check(z.describe('Port of the service.')),
    targetPort: z.optional(port.check(z.describe('Port on the VM. Default: port.'))),
    protocol: z.optional(z.enum(['TCP', 'UDP'], 'protocol').check(z.describe('Default: TCP.'))),
  },
  'mapping',
);

const service = z.strictObject(
  {
    name: text('service-name', isServiceName, 'Name of the Service.'),
    cluster: text('cluster-name', isClusterName, 'Name of a cluster of this inventory.'),
    namespace: text('dns-label', isDnsLabel, 'Namespace of the Service; it must exist.', dnsPattern),
    ports: z.array(servicePort, 'list').check(z.minLength(1, 'list-empty')),
    vms: z.optional(z.array(text('host-alias', isHostAlias, 'Name of a VM of this inventory.'), 'list')),
    serviceAccount: z.optional(text('dns-subdomain', isDnsSubdomain, 'Service account the service runs as. Default: default.')),
    labels: z.optional(
      z.record(
        z.string().check(z.refine(isQualifiedName, 'qualified-name')),
        text('label-value', isLabelValue, 'Value of the label.'),
        'mapping',
      ),
    ),
    annotations: z.optional(z.record(z.string().check(z.refine(isQualifiedName, 'qualified-name')), z.string('string'), 'mapping')),
    hosts: z.optional(
      z.array(
        text('dns-subdomain', isDnsSubdomain, 'Name that callers use; an Istio ServiceEntry instead of a Service (istiod era).'),
        'list',
      ),
    ),
  },
  'mapping',
);

export const inventorySchema = z.strictObject(
  {
    version: z.literal(1, 'version'),
    clusters: z.optional(z.nullable(z.array(cluster, 'list'))),
    vms: z.optional(z.nullable(z.array(vm, 'list'))),
    services: z.optional(z.nullable(z.array(service, 'list'))),
  },
  'mapping',
);

/** What is written in the file: defaults not yet filled in. */
export type RawInventory = z.infer<typeof inventorySchema>;

/** JSON Schema (draft 7, what editors understand) of mesh-expansion.yaml. */
export function inventoryJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' }), title: 'Mesh Expansion inventory' };
}

/** Known keys of the mapping at a path; empty where the schema has no such mapping. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(shapeAt(path) ?? {});
}

const shapes: Readonly<Record<string, object>> = {
  '': inventorySchema.shape,
  clusters: cluster.shape,
  'clusters.istio': istio.shape,
  'clusters.ingress': cluster.shape.ingress._zod.def.innerType.shape,
  'clusters.loadBalancers': cluster.shape.loadBalancers._zod.def.innerType.shape,
  vms: vm.shape,
  services: service.shape,
  'services.ports': servicePort.shape,
};

function shapeAt(path: readonly PropertyKey[]): object | undefined {
  return shapes[path.filter((part) => typeof part === 'string').join('.')];
}
