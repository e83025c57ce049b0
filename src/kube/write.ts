import { isDeepStrictEqual } from 'node:util';
import { isMeshError } from '../mesh/errors.ts';
import { FIELD_MANAGER, type CallOptions, type KubeObject, type ObjectRef, type WriteResult } from '../mesh/ports.ts';
import { badRequest, notKubernetes, statusError } from './errors.ts';
import { recordAt, textAt } from './json.ts';
import { differingFields } from './mergePatch.ts';
import { refOf, toKubeObject } from './objects.ts';
import { collectionPath, namespaceOf, objectPath, type Resource, type Resources } from './resources.ts';
import type { ApiRequest, Transport } from './transport.ts';

type WriteOptions = CallOptions & { readonly dryRun?: boolean };

/** Times that a merge patch is built anew because someone else wrote in between. */
const MERGE_TRIES = 3;

/** create, replace, apply and delete of one API. */
export class Writer {
  readonly #transport: Transport;
  readonly #resources: Resources;
  readonly #read: (ref: ObjectRef, options?: CallOptions) => Promise<KubeObject | undefined>;
  /** Set by the first 415: an API server from before server-side apply (1.16) says so each time. */
  #withoutApply = false;

  constructor(
    transport: Transport,
    resources: Resources,
    read: (ref: ObjectRef, options?: CallOptions) => Promise<KubeObject | undefined>,
  ) {
    this.#transport = transport;
    this.#resources = resources;
    this.#read = read;
  }

  async apply(object: KubeObject, options: WriteOptions = {}): Promise<WriteResult> {
    if (this.#withoutApply) return this.#createOrMerge(object, options);
    const resource = await this.#served(refOf(object), 'patch', options);
    const before = await this.#read(refOf(object), options);
    try {
      const after = await this.#write(
        {
          method: 'PATCH',
          path: objectPath(resource, refOf(object)),
          query: writeQuery(options),
          contentType: 'application/apply-patch+yaml',
          body: withoutServerFields(object),
          target: target('patch', resource, object),
        },
        resource,
        options,
      );
      return result(before, after, options);
    } catch (error) {
      if (!isMeshError(error, 'kube.unsupported-media')) throw error;
      this.#withoutApply = true;
      return this.#createOrMerge(object, options);
    }
  }

  async create(object: KubeObject, options: WriteOptions = {}): Promise<WriteResult> {
    const resource = await this.#served(refOf(object), 'create', options);
    const created = await this.#write(
      {
        method: 'POST',
        path: collectionPath(resource, namespaceOf(resource, refOf(object))),
        query: { ...writeQuery(options), fieldValidation: 'Strict' },
        body: object,
        target: target('create', resource, object),
      },
      resource,
      options,
    );
    return { object: created, changed: true };
  }

  async replace(object: KubeObject, options: WriteOptions = {}): Promise<WriteResult> {
    if (object.metadata.resourceVersion === undefined)
      throw badRequest('kube.no-resource-version', { kind: object.kind, name: object.metadata.name }, 'metadata.resourceVersion');
    const resource = await this.#served(refOf(object), 'update', options);
    const after = await this.#write(
      {
        method: 'PUT',
        path: objectPath(resource, refOf(object)),
        query: writeQuery(options),
        body: object,
        target: target('update', resource, object),
      },
      resource,
      options,
    );
    // Under the lock the object that was read is the object before.
    return result(object, after, options);
  }

  async delete(ref: ObjectRef, options: CallOptions & { readonly uid?: string } = {}): Promise<void> {
    const resource = await this.#resources.find(ref.apiVersion, ref.kind, options);
    if (resource === undefined) return;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
    };
    try {
      await this.#transport.json(
        {
          method: 'DELETE',
          path: objectPath(resource, ref),
          body,
          target: { verb: 'delete', resource: resource.plural, namespace: ref.namespace, name: ref.name },
        },
        options,
      );
    } catch (error) {
      if (isMeshError(error, 'kube.not-found')) return;
      // Another object has taken the name: the one that was meant is gone.
      if (options.uid !== undefined && isMeshError(error, 'kube.conflict')) return;
      throw error;
    }
  }

  /** For API servers without server-side apply: create, or change only what differs, under the lock of the resourceVersion that was compared. */
  async #createOrMerge(object: KubeObject, options: WriteOptions): Promise<WriteResult> {
    const resource = await this.#served(refOf(object), 'patch', options);
    const wanted = withoutServerFields(object);
    for (let tries = 1; ; tries += 1) {
      const live = await this.#read(refOf(object), options);
      try {
        if (live === undefined) return await this.create(object, options);
        const patch = differingFields(wanted, live);
        if (patch === undefined) return { object: live, changed: false };
        const body = { ...patch, metadata: { ...recordAt(patch, 'metadata'), resourceVersion: live.metadata.resourceVersion } };
        const after = await this.#write(
          {
            method: 'PATCH',
            path: objectPath(resource, refOf(object)),
            query: writeQuery(options),
            contentType: 'application/merge-patch+json',
            body,
            target: target('patch', resource, object),
          },
          resource,
          options,
        );
        return result(live, after, options);
      } catch (error) {
        if (tries >= MERGE_TRIES || !isMeshError(error, 'kube.conflict')) throw error;
      }
    }
  }

  async #served(ref: ObjectRef, verb: string, options: CallOptions): Promise<Resource> {
    const resource = await this.#resources.find(ref.apiVersion, ref.kind, options);
    if (resource !== undefined) return resource;
    const text = `${ref.apiVersion} ${ref.kind}`;
    throw statusError(
      404,
      { kind: 'Status', message: text },
      { verb, resource: ref.kind, namespace: ref.namespace, name: ref.name },
      this.#transport.context,
      this.#transport.server,
    );
  }

  async #write(request: ApiRequest, resource: Resource, options: CallOptions): Promise<KubeObject> {
    const object = toKubeObject(await this.#transport.json(request, options), resource);
    if (object === undefined) throw notKubernetes(this.#transport.context, this.#transport.server, 200);
    return object;
  }
}

function writeQuery({ dryRun = false }: WriteOptions): Record<string, string | undefined> {
  return { fieldManager: FIELD_MANAGER, dryRun: dryRun ? 'All' : undefined };
}

function target(verb: string, resource: Resource, object: KubeObject): ApiRequest['target'] {
  return {
    verb,
    resource: resource.plural,
    namespace: resource.namespaced ? object.metadata.namespace : undefined,
    name: object.metadata.name,
  };
}

/** A dry run keeps the resourceVersion whatever it would do, so there the content is compared. */
function result(before: KubeObject | undefined, after: KubeObject, { dryRun = false }: WriteOptions): WriteResult {
  if (before === undefined) return { object: after, changed: true };
  const changed = dryRun
    ? !isDeepStrictEqual(content(before), content(after))
    : before.metadata.resourceVersion !== after.metadata.resourceVersion;
  return { object: after, changed };
}

function content(object: KubeObject): unknown {
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([key]) => !['managedFields', 'resourceVersion', 'generation'].includes(key)),
  );
  return JSON.parse(JSON.stringify({ ...object, metadata })) as unknown;
}

/** What only the server writes does not belong into an apply. */
function withoutServerFields(object: KubeObject): KubeObject {
  const server = ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'deletionTimestamp', 'generation', 'selfLink'];
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([key]) => !server.includes(key)));
  return {
    ...Object.fromEntries(Object.entries(object).filter(([key]) => key !== 'status')),
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...metadata, name: textAt(metadata, 'name') ?? '' },
  };
}
