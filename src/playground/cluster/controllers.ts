import type { Clock, KubeObject, WatchEvent } from '../../mesh/ports.ts';
import type { CertificateAuthority } from '../certificates.ts';
import { ingressAddressOf, podAddressOf, serviceSpecOf, targetPortOn } from './shapes.ts';
import type { ObjectStore } from './store.ts';
import { matchesLabels } from './selectors.ts';

/** The one annotation that the guide's release ships; without it a GKE load balancer is public (citadel facts 3). */
const INTERNAL = 'cloud.google.com/load-balancer-type';
const FIRST_INTERNAL = 6;

/** The playground's controllers: load-balancer allocator, endpoints, default service accounts, and Citadel where there is an authority for it. They react to the store's events until `stop`. */
export class Controllers {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #citadel: CertificateAuthority | undefined;
  readonly #addressDelayMs: number;
  readonly #stopped = new AbortController();
  readonly #work = new Set<Promise<void>>();
  #events = 0;

  constructor(store: ObjectStore, clock: Clock, addressDelayMs: number, citadel?: CertificateAuthority) {
    this.#store = store;
    this.#clock = clock;
    this.#citadel = citadel;
    this.#addressDelayMs = addressDelayMs;
  }

  start(): void {
    const end = this.#store.subscribe((event) => this.#react(event));
    this.#stopped.signal.addEventListener('abort', end, { once: true });
  }

  /** Waits until nothing is under way: used at the start, so that the first reader finds the secrets. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all([...this.#work]);
  }

  stop(): void {
    this.#stopped.abort();
  }

  #react({ type, object }: WatchEvent): void {
    if (object.kind === 'Service') this.#onService(type, object);
    else if (object.kind === 'Namespace' && type === 'ADDED') this.#defaultAccount(object.metadata.name);
    else if (object.kind === 'ServiceAccount' && type === 'ADDED')
      this.#later(this.#issue(object.metadata.namespace ?? 'default', object.metadata.name));
    else if (object.kind === 'Secret' && type === 'DELETED' && object.metadata.name.startsWith('istio.')) this.#onSecretGone(object);
  }

  #later(work: Promise<void>): void {
    // A controller that was stopped in mid-work has nothing left to do.
    const guarded = work.catch(() => undefined).finally(() => this.#work.delete(guarded));
    this.#work.add(guarded);
  }

  #defaultAccount(namespace: string): void {
    this.#store.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  }

  async #issue(namespace: string, account: string): Promise<void> {
    const issued = await this.#citadel?.issue(namespace, account);
    if (issued === undefined || this.#stopped.signal.aborted) return;
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    this.#store.put({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'istio.io/key-and-cert',
      metadata: { name: `istio.${account}`, namespace, annotations: { 'istio.io/service-account.name': account } },
      data: { 'cert-chain.pem': encode(issued.chain), 'key.pem': encode(issued.key), 'root-cert.pem': encode(issued.root) },
    });
  }

  #onSecretGone(secret: KubeObject): void {
    const namespace = secret.metadata.namespace ?? 'default';
    const name = secret.metadata.name.slice('istio.'.length);
    if (this.#store.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })) this.#later(this.#issue(namespace, name));
  }

  #onService(type: WatchEvent['type'], service: KubeObject): void {
    const { namespace, name } = service.metadata;
    if (type === 'DELETED') {
      this.#store.remove({ apiVersion: 'v1', kind: 'Endpoints', namespace, name });
      return;
    }
    const spec = serviceSpecOf(service);
    if (spec.selector && Object.keys(spec.selector).length > 0) this.#selectEndpoints(service);
    if (spec.type === 'LoadBalancer' && ingressAddressOf(service) === undefined && type === 'ADDED')
      this.#later(this.#giveAddress(service));
  }

  #selectEndpoints(service: KubeObject): void {
    const spec = serviceSpecOf(service);
    const selector = Object.entries(spec.selector ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const pods = this.#store
      .list({ apiVersion: 'v1', kind: 'Pod', namespace: service.metadata.namespace })
      .filter((pod) => matchesLabels(selector, pod.metadata.labels));
    const subsets = pods.flatMap((pod) => {
      const ip = podAddressOf(pod);
      const ports = spec.ports.flatMap((port) => {
        const number = targetPortOn(pod, port.targetPort, port.port);
        return number === undefined ? [] : [{ name: port.name, port: number, protocol: port.protocol }];
      });
      return ip === undefined
        ? []
        : [{ addresses: [{ ip, targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace } }], ports }];
    });
    const { name, namespace, labels } = service.metadata;
    this.#store.put({ apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels }, subsets });
  }

  async #giveAddress(service: KubeObject): Promise<void> {
    const ref = { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, name: service.metadata.name };
    this.#event(service, 'EnsuringLoadBalancer', 'Ensuring load balancer');
    await this.#clock.sleep(this.#addressDelayMs, this.#stopped.signal);
    const now = this.#store.get(ref);
    if (!now || now.metadata.uid !== service.metadata.uid) return;
    const internal = (now.metadata.annotations?.[INTERNAL] ?? '').toLowerCase() === 'internal';
    this.#store.put({ ...now, status: { loadBalancer: { ingress: [{ ip: this.#freeAddress(internal ? '10.150.0' : '203.0.113') }] } } });
    this.#event(service, 'EnsuredLoadBalancer', 'Ensured load balancer');
  }

  #freeAddress(network: string): string {
    const taken = new Set(this.#store.list({ apiVersion: 'v1', kind: 'Service' }).map(ingressAddressOf));
    let last = FIRST_INTERNAL;
    while (taken.has(`${network}.${last}`)) last += 1;
    return `${network}.${last}`;
  }

  #event(about: KubeObject, reason: string, text: string): void {
    this.#events += 1;
    const time = this.#clock
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
    const { name, namespace, uid } = about.metadata;
    this.#store.put({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${this.#events.toString(16).padStart(8, '0')}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: about.kind, name, namespace, uid },
      reason,
      message: text,
      type: 'Normal',
      source: { component: 'service-controller' },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    });
  }
}
