import type { CallOptions } from './callOptions.ts';
import type { Secret } from './secret.ts';

/** The port to a cluster. */

export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  /** spec, status, data, subsets...: untrusted, narrow before use. */
  readonly [field: string]: unknown;
}

export interface ObjectQuery {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

/** One question of SelfSubjectAccessReview. */
export interface Access {
  readonly verb: string;
  /** API group, '' for core. */
  readonly group: string;
  /** Plural resource, e.g. `services`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface AccessAnswer extends Access {
  readonly allowed: boolean;
  readonly reason?: string;
}

export interface ServiceCidrs {
  readonly cidrs: readonly string[];
  /** `ServiceCIDR`: read from the API; `dry-run`: from the API server's own answer to an impossible clusterIP (recipes, Kubernetes API). */
  readonly source: 'ServiceCIDR' | 'dry-run' | 'snapshot';
}

export interface WriteResult {
  readonly object: KubeObject;
  readonly changed: boolean;
}

export interface TokenAccount {
  readonly namespace: string;
  readonly name: string;
}

export interface TokenRequest {
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
}

export interface IssuedToken {
  readonly token: Secret;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** Where a list ended: a watch that goes on from there needs none of its own. */
export interface ListEnd {
  readonly resourceVersion: string;
  /** What was there, by its names alone. */
  readonly present: readonly KubeObject[];
}

export interface ListOptions extends CallOptions {
  /** Told once, before the list is answered, where a watch may go on from it. */
  readonly onEnd?: (end: ListEnd) => void;
}

export interface WatchOptions extends CallOptions {
  readonly signal: AbortSignal;
  /** Begins with what changed since; what was there then is not reported. */
  readonly from?: ListEnd;
  /** Called whenever all present objects have been reported: at the start, and after a gap. */
  readonly onListed?: () => void;
}

/** Field manager of every write (server-side apply). */
export const FIELD_MANAGER = 'mesh-expansion';

/**
 * One cluster. Errors (all MeshError): `kube.unreachable`, `kube.unauthorized` (kind person), `kube.forbidden`, `kube.conflict` (kind person; another
 * field manager or a newer resourceVersion), `kube.invalid`, `kube.not-found` (writes only), `kube.timeout`, `kube.server` (5xx), `kube.kubeconfig` (bad input; a
 * file that the kubeconfig names), `cancelled`. A snapshot refuses writes with `kube.snapshot`.
 */
export interface ClusterApi {
  readonly context: string;
  version(options?: CallOptions): Promise<string>;
  /** Undefined where the object, or its kind, does not exist. */
  get(ref: ObjectRef, options?: CallOptions): Promise<KubeObject | undefined>;
  /** Empty where the kind is not served. */
  list(query: ObjectQuery, options?: ListOptions): Promise<readonly KubeObject[]>;
  /**
   * Reports the present objects as ADDED, calls `onListed`, then reports changes; survives 410 and lost connections (what vanished meanwhile is a DELETED of which
   * only kind and metadata's names are known); ends when the signal aborts; rejects on 401 and 403.
   */
  watch(query: ObjectQuery, onEvent: (event: WatchEvent) => void, options: WatchOptions): Promise<void>;
  /** Server-side apply without force; where that is not served (415), create or merge-patch of what differs. A no-op has `changed: false`. */
  apply(object: KubeObject, options?: CallOptions & { readonly dryRun?: boolean }): Promise<WriteResult>;
  create(object: KubeObject, options?: CallOptions & { readonly dryRun?: boolean }): Promise<WriteResult>;
  /** Full update under optimistic lock: the object carries the resourceVersion that was read. */
  replace(object: KubeObject, options?: CallOptions & { readonly dryRun?: boolean }): Promise<WriteResult>;
  /** No error where it is already gone. `uid`: delete only that very object. */
  delete(ref: ObjectRef, options?: CallOptions & { readonly uid?: string }): Promise<void>;
  /** A token of a service account (TokenRequest); the server may give it another life than asked for. `kube.not-found` where there is no such account. */
  createToken(account: TokenAccount, request: TokenRequest, options?: CallOptions): Promise<IssuedToken>;
  can(questions: readonly Access[], options?: CallOptions): Promise<readonly AccessAnswer[]>;
  /** Throws `kube.service-cidr-unknown` where neither way answers; never guesses. */
  serviceCidrs(options?: CallOptions): Promise<ServiceCidrs>;
  close(): Promise<void>;
}
