import { isDeepStrictEqual } from 'node:util';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type {
  Access,
  AccessAnswer,
  ClusterApi,
  IssuedToken,
  KubeObject,
  ObjectQuery,
  ObjectRef,
  ServiceCidrs,
  TokenAccount,
  WriteResult,
} from '../../../src/mesh/ports.ts';
import { Secret } from '../../../src/mesh/secret.ts';

const key = ({ kind, namespace = '', name }: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string => `${kind} ${namespace}/${name}`;
const keyOf = ({ kind, metadata }: KubeObject): string => key({ kind, ...metadata });

/** The smallest ClusterApi that objects can be put into: for rules, not for behaviour of an API server (that is the lab's). Every write is noted in `writes`. */
export class MemoryCluster implements ClusterApi {
  readonly context = 'test';
  readonly objects = new Map<string, KubeObject>();
  readonly writes: string[] = [];
  readonly denied: Access[] = [];
  cidrs: readonly string[] | undefined = ['10.63.240.0/20'];
  /** Conflicts that the next writes fail with. */
  conflicts = 0;
  #version = 0;

  constructor(...objects: readonly KubeObject[]) {
    for (const object of objects) this.put(object);
  }

  put(object: KubeObject): KubeObject {
    this.#version += 1;
    const stored = { ...object, metadata: { uid: `uid-${keyOf(object)}`, ...object.metadata, resourceVersion: String(this.#version) } };
    this.objects.set(keyOf(stored), stored);
    return stored;
  }

  find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.objects.get(key({ kind, namespace, name }));
  }

  async version(): Promise<string> {
    return 'v1.34.1';
  }

  async get(ref: ObjectRef): Promise<KubeObject | undefined> {
    return this.objects.get(key(ref));
  }

  async list({ kind, namespace, labelSelector, fieldSelector }: ObjectQuery): Promise<readonly KubeObject[]> {
    const [label, value] = labelSelector?.split('=') ?? [];
    const name = /^metadata\.name=(.+)$/.exec(fieldSelector ?? '')?.[1];
    return [...this.objects.values()].filter(
      (object) =>
        object.kind === kind &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        (label === undefined || object.metadata.labels?.[label] === value) &&
        (name === undefined || object.metadata.name === name),
    );
  }

  async watch(): Promise<void> {
    throw new Error('not in memory');
  }

  async apply(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<WriteResult> {
    const present = this.objects.get(keyOf(object));
    const merged = merge(present ?? {}, object) as KubeObject;
    if (present !== undefined && isDeepStrictEqual(merged, present)) return { object: present, changed: false };
    return this.#write('apply', merged, options?.dryRun);
  }

  async create(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<WriteResult> {
    return this.#write('create', object, options?.dryRun);
  }

  async replace(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<WriteResult> {
    const present = this.objects.get(keyOf(object));
    if (present === undefined) throw failure('kube.not-found');
    if (present.metadata.resourceVersion !== object.metadata.resourceVersion) throw failure('kube.conflict');
    return this.#write('replace', object, options?.dryRun);
  }

  async delete(ref: ObjectRef): Promise<void> {
    this.writes.push(`delete ${key(ref)}`);
    this.objects.delete(key(ref));
  }

  async createToken({ namespace, name }: TokenAccount): Promise<IssuedToken> {
    if (this.find('ServiceAccount', namespace, name) === undefined) throw failure('kube.not-found');
    this.writes.push(`token ${namespace}/${name}`);
    return { token: new Secret(`token-of-${namespace}-${name}`), expiresAt: '2030-01-01T00:00:00Z' };
  }

  async can(questions: readonly Access[]): Promise<readonly AccessAnswer[]> {
    return questions.map((question) => ({
      ...question,
      allowed: !this.denied.some(({ verb, namespace }) => verb === question.verb && namespace === question.namespace),
    }));
  }

  async serviceCidrs(): Promise<ServiceCidrs> {
    if (this.cidrs === undefined) throw failure('kube.service-cidr-unknown');
    return { cidrs: this.cidrs, source: 'ServiceCIDR' };
  }

  async close(): Promise<void> {
    this.objects.clear();
  }

  #write(verb: string, object: KubeObject, dryRun = false): WriteResult {
    if (dryRun) return { object, changed: true };
    if (this.conflicts > 0) {
      this.conflicts -= 1;
      throw failure('kube.conflict');
    }
    this.writes.push(`${verb} ${keyOf(object)}`);
    return { object: this.put(object), changed: true };
  }
}

function failure(code: string): MeshError {
  return new MeshError({ code, userMessage: message(code) });
}

/** Mappings are merged, everything else is replaced. */
function merge(one: unknown, other: unknown): unknown {
  const isMapping = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMapping(one) || !isMapping(other)) return other;
  return { ...one, ...Object.fromEntries(Object.entries(other).map(([name, value]) => [name, merge(one[name], value)])) };
}
