import { BlockList, isIPv4 } from 'node:net';
import type { KubeObject } from '../../mesh/ports.ts';
import { ingressAddressOf, podAddressOf, serviceSpecOf, subsetsOf } from '../cluster/shapes.ts';
import type { ObjectStore } from '../cluster/store.ts';
import type { Machine } from './machine.ts';

/** Who answers a connection: a workload of the cluster by its Deployment's name, or one of the playground's machines. */
export interface Backend {
  readonly workload: string;
  readonly port: number;
  /** A machine's. */
  readonly address?: string;
}

/** A healthy workload behind a Service, with its ports by name. */
export type WorkloadsOf = (
  service: KubeObject,
) => { readonly address: string; readonly ports: Readonly<Record<string, number>> } | undefined;

/** What machines reach: pods and load balancers directly, cluster IPs only through a sidecar (the guide's prerequisite). */
export class Network {
  readonly #store: ObjectStore;
  readonly #machines = new Map<string, Machine>();

  readonly #workloads: WorkloadsOf | undefined;

  /** `workloads`: who else than Endpoints is behind a Service, where a control plane merges them. */
  constructor(store: ObjectStore, workloads?: WorkloadsOf) {
    this.#store = store;
    this.#workloads = workloads;
  }

  addMachine(address: string, machine: Machine): void {
    this.#machines.set(address, machine);
  }

  machineAt(address: string): Machine | undefined {
    return this.#machines.get(address);
  }

  /** Answers of the cluster's DNS through a load balancer; undefined where nothing answers on that address, null where the name is unknown. */
  clusterDns(server: string, name: string): string | null | undefined {
    if (!this.#throughLoadBalancer(server, 53, 'UDP')) return undefined;
    const match = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(name);
    if (!match) return null;
    const service = this.#store.get({ apiVersion: 'v1', kind: 'Service', name: match[1] ?? '', namespace: match[2] ?? '' });
    return (service && serviceSpecOf(service).clusterIP) ?? null;
  }

  /** Who answers on a pod's or load balancer's address. */
  direct(address: string, port: number): Backend | 'machine' | 'refused' | 'timeout' {
    if (this.#machines.has(address)) return 'machine';
    const pod = this.#pods().find((entry) => podAddressOf(entry) === address);
    if (pod) return this.#onPod(pod, port);
    const balanced = this.#throughLoadBalancer(address, port, 'TCP');
    if (balanced) return balanced;
    return this.#services().some((service) => ingressAddressOf(service) === address) ? 'refused' : 'timeout';
  }

  /** Who answers on a cluster IP for a connection that a sidecar captured. */
  captured(clusterIp: string, port: number, cidrs: string): Backend | 'refused' | 'timeout' | 'not-captured' {
    if (!within(clusterIp, cidrs)) return 'not-captured';
    const service = this.#services().find((entry) => serviceSpecOf(entry).clusterIP === clusterIp);
    if (!service) return 'timeout';
    return this.#behind(service, port) ?? 'refused';
  }

  isClusterIp(address: string): boolean {
    return within(address, '10.63.240.0/20');
  }

  /** Service and port keys with their addresses, as Pilot's `/v1/registration` lists them (citadel facts 10). */
  registration(): readonly { readonly key: string; readonly hosts: readonly { readonly ip_address: string; readonly port: number }[] }[] {
    return this.#services().flatMap((service) => {
      const { name, namespace = '' } = service.metadata;
      return serviceSpecOf(service).ports.map((port) => ({
        key: `${name}.${namespace}.svc.cluster.local|${port.name ?? ''}`,
        hosts: subsetsOf(this.#endpoints(service)).flatMap((subset) =>
          subset.ports
            .filter((entry) => entry.name === port.name)
            .flatMap((entry) => subset.addresses.map(({ ip }) => ({ ip_address: ip, port: entry.port }))),
        ),
      }));
    });
  }

  #services(): readonly KubeObject[] {
    return this.#store.list({ apiVersion: 'v1', kind: 'Service' });
  }

  #pods(): readonly KubeObject[] {
    return this.#store.list({ apiVersion: 'v1', kind: 'Pod' });
  }

  #endpoints(service: KubeObject): KubeObject | undefined {
    return this.#store.get({ apiVersion: 'v1', kind: 'Endpoints', namespace: service.metadata.namespace, name: service.metadata.name });
  }

  #onPod(pod: KubeObject, port: number): Backend | 'refused' {
    const workload = pod.metadata.name.replace(/-[^-]+-[^-]+$/, '');
    const open = this.#services().some((service) =>
      subsetsOf(this.#endpoints(service)).some(
        (subset) => subset.addresses.some(({ ip }) => ip === podAddressOf(pod)) && subset.ports.some((entry) => entry.port === port),
      ),
    );
    return open ? { workload, port } : 'refused';
  }

  #throughLoadBalancer(address: string, port: number, protocol: string): Backend | undefined {
    const service = this.#services().find(
      (entry) =>
        ingressAddressOf(entry) === address && serviceSpecOf(entry).ports.some((open) => open.port === port && open.protocol === protocol),
    );
    return service && this.#behind(service, port);
  }

  #behind(service: KubeObject, port: number): Backend | undefined {
    const wanted = serviceSpecOf(service).ports.find((entry) => entry.port === port);
    if (!wanted) return undefined;
    for (const subset of subsetsOf(this.#endpoints(service))) {
      const target = subset.ports.find((entry) => entry.name === wanted.name) ?? (subset.ports.length === 1 ? subset.ports[0] : undefined);
      const [first] = subset.addresses;
      if (!target || !first) continue;
      const pod = this.#pods().find((entry) => podAddressOf(entry) === first.ip);
      const machine = this.#machines.get(first.ip);
      const workload = pod ? pod.metadata.name.replace(/-[^-]+-[^-]+$/, '') : (machine?.name ?? first.ip);
      return { workload, port: target.port, ...(machine === undefined ? {} : { address: first.ip }) };
    }
    const entry = this.#workloads?.(service);
    if (entry === undefined) return undefined;
    const target = entry.ports[wanted.name ?? ''] ?? (typeof wanted.targetPort === 'number' ? wanted.targetPort : wanted.port);
    return { workload: this.#machines.get(entry.address)?.name ?? entry.address, port: target, address: entry.address };
  }
}

/** True where the address lies in one of the comma-separated CIDRs, or the list is `*` (citadel facts 4, ISTIO_SERVICE_CIDR). */
function within(address: string, cidrs: string): boolean {
  if (!isIPv4(address)) return false;
  return cidrs.split(',').some((cidr) => {
    if (cidr.trim() === '*') return true;
    const [network = '', bits = ''] = cidr.trim().split('/');
    if (!isIPv4(network) || !/^\d+$/.test(bits) || Number(bits) > 32) return false;
    const list = new BlockList();
    list.addSubnet(network, Number(bits), 'ipv4');
    return list.check(address);
  });
}
