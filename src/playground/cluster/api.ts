import { isDeepStrictEqual } from 'node:util';
import { cancelled, MeshError } from '../../mesh/errors.ts';
import { message } from '../../mesh/messages.ts';
import { FIELD_MANAGER } from '../../mesh/ports.ts';
import type {
  Access,
  AccessAnswer,
  CallOptions,
  Clock,
  ClusterApi,
  IssuedToken,
  KubeObject,
  ObjectQuery,
  ObjectRef,
  ServiceCidrs,
  TokenAccount,
  TokenRequest,
  WatchEvent,
  WatchOptions,
  WriteResult,
} from '../../mesh/ports.ts';
import { pause } from '../pause.ts';
import { SERVICE_CIDR, withDefaults } from './defaults.ts';
import { applyFields, fieldsOf, withFields, type Owners } from './fields.ts';
import { matches, refOf, type ObjectStore } from './store.ts';
import type { TokenIssuer } from './tokens.ts';
import { problemOf } from './validate.ts';

const LATENCY_MS = 15;

export interface ClusterParts {
  readonly context: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly tokens: TokenIssuer;
  /** As the API server says it. */
  readonly version: string;
  /** Plural resources that this user may not write, to show what a refusal looks like. */
  readonly denied: readonly string[];
  /** Waits for what goes on beside the calls and has begun. */
  readonly settle?: () => Promise<void>;
}

/** A cluster in memory behind the same port as a real one: apply with field ownership, optimistic locks, watches. */
export class PlaygroundCluster implements ClusterApi {
  readonly context: string;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #denied: readonly string[];
  readonly #tokens: TokenIssuer;
  readonly #version: string;
  readonly #settle: ClusterParts['settle'];
  readonly #owners = new Map<string, Owners>();

  constructor({ context, store, clock, tokens, version, denied, settle }: ClusterParts) {
    this.#settle = settle;
    this.context = context;
    this.#store = store;
    this.#clock = clock;
    this.#tokens = tokens;
    this.#version = version;
    this.#denied = denied;
  }

  async version(options?: CallOptions): Promise<string> {
    await this.#wait(options);
    return this.#version;
  }

  async get(ref: ObjectRef, options?: CallOptions): Promise<KubeObject | undefined> {
    await this.#wait(options);
    return this.#store.get(ref);
  }

  async list(query: ObjectQuery, options?: CallOptions): Promise<readonly KubeObject[]> {
    await this.#wait(options);
    return this.#store.list(query);
  }

  async watch(query: ObjectQuery, onEvent: (event: WatchEvent) => void, options: WatchOptions): Promise<void> {
    await this.#wait(options);
    for (const object of this.#store.list(query)) onEvent({ type: 'ADDED', object });
    options.onListed?.();
    const stop = this.#store.subscribe((event) => {
      if (matches(query, event.object)) onEvent(event);
    });
    await new Promise<void>((resolve) => {
      if (options.signal.aborted) resolve();
      else options.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    stop();
  }

  async createToken(account: TokenAccount, request: TokenRequest, options?: CallOptions): Promise<IssuedToken> {
    await this.#wait(options);
    if (this.#denied.includes('serviceaccounts/token'))
      throw new MeshError({
        code: 'kube.forbidden',
        userMessage: message('playground.forbidden', { kind: 'ServiceAccount', name: account.name, resource: 'serviceaccounts/token' }),
      });
    return this.#tokens.issue(account, request);
  }

  async apply(object: KubeObject, options?: CallOptions & { readonly dryRun?: boolean }): Promise<WriteResult> {
    await this.#enter(object, options);
    const before = this.#store.get(refOf(object));
    const key = JSON.stringify(refOf(object));
    const wanted = fieldsOf(object);
    const merged = applyFields(before ? fieldsOf(before) : new Map(), this.#owners.get(key) ?? new Map(), wanted, FIELD_MANAGER);
    const [conflict] = merged.conflicts;
    if (conflict) {
      throw new MeshError({
        code: 'kube.conflict',
        kind: 'person',
        userMessage: message('playground.field-conflict', { ...named(object), field: conflict.path, owner: conflict.owner }),
        nextStep: message('playground.field-conflict.next', { owner: conflict.owner }),
      });
    }
    return this.#write(withFields(before ?? object, merged.fields), before, merged.owners, options);
  }

  async create(object: KubeObject, options?: CallOptions & { readonly dryRun?: boolean }): Promise<WriteResult> {
    await this.#enter(object, options);
    if (this.#store.get(refOf(object)))
      throw new MeshError({ code: 'kube.conflict', kind: 'person', userMessage: message('playground.exists', named(object)) });
    return this.#write(object, undefined, ownedBy(FIELD_MANAGER, object), options);
  }

  async replace(object: KubeObject, options?: CallOptions & { readonly dryRun?: boolean }): Promise<WriteResult> {
    await this.#enter(object, options);
    const before = this.#store.get(refOf(object));
    if (!before) throw notFound(object);
    if (object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== before.metadata.resourceVersion) {
      throw new MeshError({
        code: 'kube.conflict',
        kind: 'person',
        userMessage: message('playground.changed', named(object)),
        nextStep: message('playground.changed.next'),
      });
    }
    const present = fieldsOf(before);
    const owners = new Map(this.#owners.get(JSON.stringify(refOf(object))) ?? []);
    for (const [path, value] of fieldsOf(object)) if (!isDeepStrictEqual(present.get(path), value)) owners.set(path, FIELD_MANAGER);
    return this.#write(object, before, owners, options);
  }

  async delete(ref: ObjectRef, options?: CallOptions & { readonly uid?: string }): Promise<void> {
    await this.#wait(options);
    const before = this.#store.get(ref);
    if (!before) return;
    this.#allow(before);
    if (options?.uid !== undefined && options.uid !== before.metadata.uid) {
      throw new MeshError({
        code: 'kube.conflict',
        kind: 'person',
        userMessage: message('playground.changed', named(before)),
        nextStep: message('playground.changed.next'),
      });
    }
    this.#owners.delete(JSON.stringify(refOf(before)));
    this.#store.remove(ref);
  }

  async can(questions: readonly Access[], options?: CallOptions): Promise<readonly AccessAnswer[]> {
    await this.#wait(options);
    return questions.map((question) => {
      const reads = ['get', 'list', 'watch'].includes(question.verb);
      return { ...question, allowed: reads || !this.#denied.includes(question.resource) };
    });
  }

  async serviceCidrs(options?: CallOptions): Promise<ServiceCidrs> {
    await this.#wait(options);
    return { cidrs: [SERVICE_CIDR], source: 'ServiceCIDR' };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #wait(options?: CallOptions): Promise<void> {
    await pause(this.#clock, LATENCY_MS, options);
    await this.#settle?.();
  }

  async #enter(object: KubeObject, options?: CallOptions): Promise<void> {
    await this.#wait(options);
    if (options?.signal?.aborted) throw cancelled();
    this.#allow(object);
    const { namespace } = object.metadata;
    if (namespace !== undefined && !this.#store.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })) {
      throw new MeshError({
        code: 'kube.not-found',
        userMessage: message('playground.no-namespace', { namespace }),
        nextStep: message('playground.no-namespace.next', { namespace }),
      });
    }
    const problem = problemOf(object);
    if (problem !== undefined)
      throw new MeshError({
        code: 'kube.invalid',
        kind: 'bad-input',
        userMessage: message('playground.invalid', { ...named(object), problem }),
      });
  }

  #allow(object: KubeObject): void {
    const resource = pluralOf(object.kind);
    if (this.#denied.includes(resource))
      throw new MeshError({ code: 'kube.forbidden', userMessage: message('playground.forbidden', { ...named(object), resource }) });
  }

  #write(object: KubeObject, before: KubeObject | undefined, owners: Owners, options?: { readonly dryRun?: boolean }): WriteResult {
    const full = withDefaults(object, before, this.#store);
    if (options?.dryRun === true) return { object: full, changed: !before || !isDeepStrictEqual(fieldsOf(before), fieldsOf(full)) };
    this.#owners.set(JSON.stringify(refOf(object)), owners);
    return this.#store.put(full);
  }
}

function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith('y')) return `${name.slice(0, -1)}ies`;
  return name.endsWith('s') ? name : `${name}s`;
}

function named(object: KubeObject): { readonly kind: string; readonly name: string } {
  return {
    kind: object.kind,
    name: object.metadata.namespace === undefined ? object.metadata.name : `${object.metadata.namespace}/${object.metadata.name}`,
  };
}

function ownedBy(manager: string, object: KubeObject): Owners {
  return new Map([...fieldsOf(object).keys()].map((path) => [path, manager]));
}

function notFound(object: KubeObject): MeshError {
  return new MeshError({ code: 'kube.not-found', userMessage: message('playground.not-found', named(object)) });
}
