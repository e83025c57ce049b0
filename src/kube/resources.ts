import type { CallOptions, ObjectRef } from '../mesh/ports.ts';
import { isMeshError } from '../mesh/errors.ts';
import { badRequest } from './errors.ts';
import { isRecord, listAt, textAt } from './json.ts';
import type { Transport } from './transport.ts';

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Kinds that every API server serves under these names: no question needed. Others are discovered. */
const KNOWN: readonly Resource[] = [
  ...(
    [
      'Service services',
      'Endpoints endpoints',
      'Pod pods',
      'Secret secrets',
      'ConfigMap configmaps',
      'ServiceAccount serviceaccounts',
      'Event events',
    ] as const
  ).map((words) => known('v1', words, true)),
  ...(['Namespace namespaces', 'Node nodes'] as const).map((words) => known('v1', words, false)),
  known('apps/v1', 'Deployment deployments', true),
  known('apps/v1', 'DaemonSet daemonsets', true),
  known('discovery.k8s.io/v1', 'EndpointSlice endpointslices', true),
  known('networking.k8s.io/v1', 'ServiceCIDR servicecidrs', false),
  known('networking.k8s.io/v1beta1', 'ServiceCIDR servicecidrs', false),
  known('authorization.k8s.io/v1', 'SelfSubjectAccessReview selfsubjectaccessreviews', false),
];

function known(apiVersion: string, words: string, namespaced: boolean): Resource {
  const [kind = '', plural = ''] = words.split(' ');
  return { apiVersion, kind, plural, namespaced };
}

/** Kind -> resource, from the table or the API server's discovery (kept for the life of the API). */
export class Resources {
  readonly #transport: Transport;
  readonly #discovered = new Map<string, readonly Resource[]>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Undefined where the API server does not serve the kind. */
  async find(apiVersion: string, kind: string, options?: CallOptions): Promise<Resource | undefined> {
    const of = (list: readonly Resource[]) => list.find((resource) => resource.apiVersion === apiVersion && resource.kind === kind);
    const found = of(KNOWN) ?? of(this.#discovered.get(apiVersion) ?? []);
    if (found !== undefined) return found;
    const fresh = await this.#discover(apiVersion, options);
    this.#discovered.set(apiVersion, fresh);
    return of(fresh);
  }

  async #discover(apiVersion: string, options?: CallOptions): Promise<readonly Resource[]> {
    const path = groupPath(apiVersion);
    try {
      const answer = await this.#transport.json({ method: 'GET', path, target: { verb: 'get', resource: path } }, options);
      return listAt(answer, 'resources').flatMap((entry) => {
        const plural = textAt(entry, 'name');
        const kind = textAt(entry, 'kind');
        if (plural === undefined || kind === undefined || plural.includes('/')) return [];
        return [{ apiVersion, kind, plural: segment(plural, 'name'), namespaced: isRecord(entry) && entry.namespaced === true }];
      });
    } catch (error) {
      if (isMeshError(error, 'kube.not-found')) return [];
      throw error;
    }
  }
}

export function groupPath(apiVersion: string): string {
  const parts = apiVersion.split('/').map((part) => segment(part, 'apiVersion'));
  if (parts.length > 2) throw badRequest('kube.bad-name', { field: 'apiVersion', value: apiVersion }, 'apiVersion');
  return parts.length === 1 ? `/api/${parts.join('/')}` : `/apis/${parts.join('/')}`;
}

/** Path of the whole collection, or of one namespace's. */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace, 'metadata.namespace')}` : '';
  return `${groupPath(resource.apiVersion)}${scope}/${resource.plural}`;
}

/** Path of one object. Throws `kube.invalid` where a namespace is needed and missing: it is never guessed. */
export function objectPath(resource: Resource, ref: ObjectRef): string {
  return `${collectionPath(resource, namespaceOf(resource, ref))}/${segment(ref.name, 'metadata.name')}`;
}

export function namespaceOf(resource: Resource, ref: ObjectRef): string | undefined {
  if (!resource.namespaced) return undefined;
  if (ref.namespace === undefined || ref.namespace === '')
    throw badRequest('kube.no-namespace', { kind: ref.kind, name: ref.name }, 'metadata.namespace');
  return ref.namespace;
}

/** A name as one path segment: what the API server itself refuses (ValidatePathSegmentName) must not reach another path. */
function segment(value: string, field: string): string {
  if (value === '' || value === '.' || value === '..' || /[/%\u0000-\u001f\u007f]/.test(value))
    throw badRequest('kube.bad-name', { field, value }, field);
  return encodeURIComponent(value);
}
