import { X509Certificate } from 'node:crypto';
import type { Clock, KubeObject } from '../../mesh/ports.ts';
import type { CertificateAuthority, WorkloadCertificate } from '../certificates.ts';
import { serviceSpecOf } from '../cluster/shapes.ts';
import { matchesLabels } from '../cluster/selectors.ts';
import type { ObjectStore } from '../cluster/store.ts';
import type { TokenIssuer } from '../cluster/tokens.ts';
import type { Work } from '../work.ts';
import {
  accountOf,
  connectedEntry,
  disconnectedEntry,
  entryRef,
  groupRef,
  isAbandoned,
  isServing,
  NETWORKING,
  removeOwned,
  withHealth,
} from './entries.ts';
import { reach, type Reach } from './exposure.ts';
import type { ProxyNode } from './node.ts';

/** From a machine's end to the end of its entry (istiod facts 3.2). */
const GRACE_MS = 10_000;

export interface Identity {
  readonly namespace: string;
  readonly account: string;
}

export interface ControlPlaneParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly authority: CertificateAuthority;
  readonly tokens: TokenIssuer;
  readonly work: Work;
}

/** The playground's istiod: its root in every namespace, certificates for tokens and certificates, entries for machines that connect. */
export class ControlPlane {
  readonly #parts: ControlPlaneParts;
  readonly #root: X509Certificate;

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts;
    this.#root = new X509Certificate(parts.authority.root);
  }

  /** `onChange`: whoever waits for something may try again. The answer ends it. */
  start(onChange: () => void): () => void {
    return this.#parts.store.subscribe(({ type, object }) => {
      if (object.kind === 'Namespace' && type === 'ADDED') this.#publishRoot(object.metadata.name);
      if (object.kind === 'WorkloadGroup' && type === 'DELETED') removeOwned(this.#parts.store, object);
      if (['Gateway', 'VirtualService', 'WorkloadGroup', 'ServiceAccount'].includes(object.kind)) onChange();
    });
  }

  reach(address: string, port: number, serverName: string): Reach {
    return reach(this.#parts.store, address, port, serverName);
  }

  /** True where a client that trusts this root takes istiod's certificate. */
  isTrustedBy(root: string): boolean {
    try {
      return new X509Certificate(root).fingerprint256 === this.#root.fingerprint256;
    } catch {
      return false;
    }
  }

  /** Whose token it is; undefined where it does not count. */
  identityOfToken(token: string): Identity | undefined {
    const review = this.#parts.tokens.review(token, 'istio-ca');
    return review.ok ? { namespace: review.namespace, account: review.account } : undefined;
  }

  /** Whose certificate it is; undefined where it is not of this mesh. */
  identityOfCertificate(certificate: X509Certificate): Identity | undefined {
    if (!certificate.verify(this.#root.publicKey)) return undefined;
    const [, namespace, account] =
      /URI:spiffe:\/\/cluster\.local\/ns\/([^/,\s]+)\/sa\/([^/,\s]+)/.exec(certificate.subjectAltName ?? '') ?? [];
    return namespace === undefined || account === undefined ? undefined : { namespace, account };
  }

  sign({ namespace, account }: Identity): Promise<WorkloadCertificate> {
    return this.#parts.authority.issue(namespace, account);
  }

  /** A machine's stream begins. The answer is what istiod refuses it with, as the agent logs it. */
  connect(node: ProxyNode, identity: Identity): string | undefined {
    const { store, clock } = this.#parts;
    const ref = entryRef(node);
    if (ref === undefined) return undefined;
    const group = node.group === undefined ? undefined : store.get(groupRef(node));
    const id = `${node.address}.${node.namespace}`;
    if (node.group !== undefined && group === undefined)
      return `rpc error: code = FailedPrecondition desc = auto-registration WorkloadEntry of ${id} failed: cannot find WorkloadGroup ${node.namespace}/${node.group}`;
    const account = group === undefined ? node.account : accountOf(group);
    if (identity.namespace !== node.namespace || identity.account !== account)
      return `rpc error: code = PermissionDenied desc = workload entry ${ref.namespace ?? ''}/${ref.name} of service account ${account ?? ''} does not match identity spiffe://cluster.local/ns/${identity.namespace}/sa/${identity.account}`;
    const entry = connectedEntry(store.get(ref), group, node, clock.now());
    if (entry !== undefined) store.put(entry);
    return undefined;
  }

  disconnect(node: ProxyNode): void {
    const { store, clock, work } = this.#parts;
    const ref = entryRef(node);
    const entry = ref && store.get(ref);
    if (ref === undefined || entry === undefined) return;
    const at = clock.now();
    store.put(disconnectedEntry(entry, at));
    work.after(GRACE_MS, () => {
      const left = store.get(ref);
      if (left !== undefined && isAbandoned(left, at)) store.remove(ref);
    });
  }

  health(node: ProxyNode, healthy: boolean, reason?: string): void {
    const { store, clock } = this.#parts;
    const ref = entryRef(node);
    const entry = ref && store.get(ref);
    if (entry !== undefined) store.put(withHealth(entry, healthy, reason, clock.now()));
  }

  /** The workload that a Service's selector finds among the entries of its namespace. */
  workloadBehind(service: KubeObject): { readonly address: string; readonly ports: Readonly<Record<string, number>> } | undefined {
    const selector = Object.entries(serviceSpecOf(service).selector ?? {});
    if (selector.length === 0) return undefined;
    const labels = selector.map(([key, value]) => `${key}=${value}`).join(',');
    const found = this.#parts.store
      .list({ apiVersion: NETWORKING, kind: 'WorkloadEntry', namespace: service.metadata.namespace })
      .find((entry) => isServing(entry) && matchesLabels(labels, labelsOf(entry)));
    const spec = found?.spec as { readonly address?: string; readonly ports?: Readonly<Record<string, number>> } | undefined;
    return spec?.address === undefined ? undefined : { address: spec.address, ports: spec.ports ?? {} };
  }

  /** Address of a Service's name as the agent's DNS answers it for a machine of a namespace. */
  serviceAddress(name: string, namespace: string): string | undefined {
    const [service = '', where = namespace, ...rest] = name.replace(/\.$/, '').toLowerCase().split('.');
    if (!['', 'svc', 'svc.cluster.local'].includes(rest.join('.'))) return undefined;
    const found = this.#parts.store.get({ apiVersion: 'v1', kind: 'Service', namespace: where, name: service });
    const address = found && serviceSpecOf(found).clusterIP;
    return address === 'None' ? undefined : address;
  }

  #publishRoot(namespace: string): void {
    this.#parts.store.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace, labels: { 'istio.io/config': 'true' } },
      data: { 'root-cert.pem': this.#parts.authority.root },
    });
  }
}

function labelsOf(entry: KubeObject): Readonly<Record<string, string>> {
  const { labels } = (entry.spec ?? {}) as { readonly labels?: Readonly<Record<string, string>> };
  return labels ?? {};
}
