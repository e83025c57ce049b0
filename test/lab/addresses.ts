// Who has which address in a lab. Everything but the public range derives from the lab's index, so labs never meet.

/** Highest index a lab can have: 10.201.0.0/16 to 10.240.0.0/16 are ours. */
export const LAST_INDEX = 39;

/** The cluster IPs, the same in every lab, as in real life: nothing outside the cluster's namespace is routed to them. */
export const SERVICE_CIDR = '10.96.0.0/16';
export const DNS_CLUSTER_IP = '10.96.0.10';
export const API_CLUSTER_IP = '10.96.0.1';

export const API_PORT = 6443;
/** The proxy that stands for an API server from before server-side apply. */
export const OLD_API_PORT = 6444;

export interface LabAddresses {
  index: number;
  /** All of the lab but the public range, routed from the root namespace. */
  subnet: string;
  /** The root namespace's end of the link to the lab. */
  root: string;
  /** The cluster's end of that link; the API server listens here on API_PORT and OLD_API_PORT. */
  apiServer: string;
  /** The bridge's own address: default gateway and name server of the machines, InternalIP of the node `lab`. */
  router: string;
  machineSubnet: string;
  podSubnet: string;
  /** Addresses the allocator gives to services annotated as internal. */
  internalRange: string;
  /** Addresses it gives to every other load balancer; the same in every lab, not routed from the root namespace. */
  publicRange: string;
  pods: PodAddresses;
}

/** One address per "pod", a process on the lab's bridge. */
export interface PodAddresses {
  coredns: string;
  pilot: string;
  /** istio-telemetry and istio-policy: one process stands in for both. */
  mixer: string;
  citadel: string;
  ingressgateway: string;
  /** Of a lab with istiod. */
  istiod: string;
  eastwestgateway: string;
  productpage: string;
}

/** The addresses of the lab with this index. Throws RangeError outside 0 to LAST_INDEX. */
export function labAddresses(index: number): LabAddresses {
  if (!Number.isInteger(index) || index < 0 || index > LAST_INDEX) throw new RangeError(`lab index ${index} is not in 0-${LAST_INDEX}`);
  const net = `10.${201 + index}`;
  return {
    index,
    subnet: `${net}.0.0/16`,
    root: `${net}.255.1`,
    apiServer: `${net}.255.2`,
    router: `${net}.0.1`,
    machineSubnet: `${net}.0.0/24`,
    podSubnet: `${net}.1.0/24`,
    internalRange: `${net}.2.0/24`,
    publicRange: '203.0.113.0/24',
    pods: {
      coredns: `${net}.1.10`,
      pilot: `${net}.1.20`,
      mixer: `${net}.1.30`,
      citadel: `${net}.1.40`,
      ingressgateway: `${net}.1.50`,
      productpage: `${net}.1.60`,
      istiod: `${net}.1.70`,
      eastwestgateway: `${net}.1.80`,
    },
  };
}

/** Address of machine `vm-<number>`, number from 1 to 200. */
export function machineAddress(addresses: LabAddresses, number: number): string {
  return addresses.router.replace(/\.1$/, `.${10 + number}`);
}
