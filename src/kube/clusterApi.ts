import pLimit from 'p-limit';
import { isMeshError, MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { Access, AccessAnswer, CallOptions, ClusterApi, KubeObject, ListOptions, ObjectQuery, ObjectRef } from '../mesh/ports.ts';
import { Credentials } from './credentials.ts';
import { notKubernetes } from './errors.ts';
import { filledTextAt, listAt, recordAt, textAt } from './json.ts';
import type { Kubeconfig } from './kubeconfigModel.ts';
import { toKubeObject } from './objects.ts';
import { collectionPath, objectPath, Resources, type Resource } from './resources.ts';
import { serviceCidrs } from './serviceCidrs.ts';
import { createToken } from './tokens.ts';
import { Transport } from './transport.ts';
import { named, watchObjects, type Listed } from './watch.ts';
import { Writer } from './write.ts';

const ACCESS_QUESTIONS_AT_ONCE = 8;
/** The server ends a watch after this; kept below the pauses that clouds' load balancers cut at. */
const WATCH_SECONDS = 240;

export interface ClusterApiOptions {
  readonly kubeconfig: Kubeconfig;
  readonly context: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Pauses of a watch that lost its connection; for tests. */
  readonly reconnect?: { readonly firstMs: number; readonly longestMs: number };
}

/** A cluster of the kubeconfig. Nothing is contacted and nothing run before the first call. Throws `kube.context-unknown` at once. */
export function createClusterApi({
  kubeconfig,
  context,
  env = process.env,
  reconnect = { firstMs: 500, longestMs: 30_000 },
}: ClusterApiOptions): ClusterApi {
  const { cluster, user, namespace } = entriesOf(kubeconfig, context);
  const transport = new Transport({ context, server: cluster.server, credentials: new Credentials(cluster, user, env) });
  const resources = new Resources(transport);

  const get = async (ref: ObjectRef, options?: CallOptions): Promise<KubeObject | undefined> => {
    const resource = await resources.find(ref.apiVersion, ref.kind, options);
    if (resource === undefined) return undefined;
    const path = objectPath(resource, ref);
    const answer = await orAbsent(
      transport.json(
        { method: 'GET', path, target: { verb: 'get', resource: resource.plural, namespace: ref.namespace, name: ref.name } },
        options,
      ),
    );
    if (answer === undefined) return undefined;
    const object = toKubeObject(answer, resource);
    if (object === undefined) throw notKubernetes(context, cluster.server, 200);
    return object;
  };

  const listed = async (query: ObjectQuery, options?: CallOptions): Promise<Listed> => {
    const resource = await resources.find(query.apiVersion, query.kind, options);
    const items: KubeObject[] = [];
    if (resource === undefined) return { items, resourceVersion: undefined };
    let resourceVersion: string | undefined;
    let next: string | undefined;
    do {
      const answer = await orAbsent(
        transport.json(
          {
            method: 'GET',
            path: collectionPath(resource, query.namespace),
            query: { ...selectors(query), continue: next },
            target: listTarget('list', resource, query),
          },
          options,
        ),
      );
      if (answer === undefined) return { items: [], resourceVersion: undefined };
      for (const item of listAt(answer, 'items')) {
        const object = toKubeObject(item, resource);
        if (object !== undefined) items.push(object);
      }
      const metadata = recordAt(answer, 'metadata');
      resourceVersion = textAt(metadata, 'resourceVersion');
      if (resourceVersion === undefined) throw notKubernetes(context, cluster.server, 200);
      next = filledTextAt(metadata, 'continue');
    } while (next !== undefined);
    return { items, resourceVersion };
  };

  const list = async (query: ObjectQuery, options?: ListOptions) => {
    const { items, resourceVersion } = await listed(query, options);
    if (resourceVersion !== undefined) options?.onEnd?.({ resourceVersion, present: items.map(named) });
    return items;
  };
  const writer = new Writer(transport, resources, get);

  const api: ClusterApi = {
    context,
    version: async (options) => {
      const version = textAt(
        await transport.json({ method: 'GET', path: '/version', target: { verb: 'get', resource: '/version' } }, options),
        'gitVersion',
      );
      if (version === undefined) throw notKubernetes(context, cluster.server, 200);
      return version;
    },
    get,
    list,
    watch: async (query, onEvent, options) =>
      watchObjects(
        {
          context,
          server: cluster.server,
          target: { verb: 'watch', resource: query.kind, namespace: query.namespace },
          firstWaitMs: reconnect.firstMs,
          longestWaitMs: reconnect.longestMs,
          list: async (callOptions) => listed(query, callOptions),
          stream: async (resourceVersion, signal, onLine) => {
            const resource = await resources.find(query.apiVersion, query.kind, { signal });
            if (resource === undefined) return;
            await transport.lines(
              {
                method: 'GET',
                path: collectionPath(resource, query.namespace),
                query: {
                  ...selectors(query),
                  watch: 'true',
                  allowWatchBookmarks: 'true',
                  timeoutSeconds: String(WATCH_SECONDS),
                  resourceVersion,
                },
                target: listTarget('watch', resource, query),
              },
              signal,
              onLine,
            );
          },
        },
        query,
        onEvent,
        options,
      ),
    apply: async (object, options) => writer.apply(object, options),
    create: async (object, options) => writer.create(object, options),
    replace: async (object, options) => writer.replace(object, options),
    delete: async (ref, options) => writer.delete(ref, options),
    createToken: async (account, request, options) => createToken(transport, account, request, options),
    can: async (questions, options) => {
      const limit = pLimit(ACCESS_QUESTIONS_AT_ONCE);
      return Promise.all(questions.map((question) => limit(() => ask(transport, question, options))));
    },
    serviceCidrs: async (options) => serviceCidrs(api, namespace, options),
    close: async () => transport.close(),
  };
  return api;
}

function entriesOf(kubeconfig: Kubeconfig, name: string) {
  const context = kubeconfig.contexts.get(name);
  const files = kubeconfig.files.map((file) => file.path).join(', ');
  if (context === undefined)
    throw unknownContext('kube.context-unknown', { context: name, files, known: [...kubeconfig.contexts.keys()].join(', ') || '-' });
  const cluster = kubeconfig.clusters.get(context.cluster);
  if (cluster === undefined) throw unknownContext('kube.context-cluster', { context: name, files, entry: context.cluster });
  const user = context.user === undefined ? undefined : kubeconfig.users.get(context.user);
  if (context.user !== undefined && user === undefined)
    throw unknownContext('kube.context-user', { context: name, files, entry: context.user });
  return { cluster, user, namespace: context.namespace ?? 'default' };
}

function unknownContext(id: string, args: Readonly<Record<string, string>>): MeshError {
  return new MeshError({
    code: 'kube.context-unknown',
    kind: 'bad-input',
    userMessage: message(id, args),
    nextStep: message('kube.context-unknown.next', args),
    field: 'context',
  });
}

function selectors({ labelSelector, fieldSelector }: ObjectQuery): Record<string, string | undefined> {
  return { labelSelector, fieldSelector };
}

function listTarget(verb: string, resource: Resource, query: ObjectQuery) {
  return { verb, resource: resource.plural, namespace: resource.namespaced ? query.namespace : undefined };
}

async function orAbsent(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (isMeshError(error, 'kube.not-found')) return undefined;
    throw error;
  }
}

async function ask(transport: Transport, question: Access, options?: CallOptions): Promise<AccessAnswer> {
  const [resource, subresource] = question.resource.split('/');
  const { verb, group, namespace, name } = question;
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace, name } },
  };
  const answer = await transport.json(
    {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body,
      target: { verb: 'create', resource: 'selfsubjectaccessreviews' },
    },
    options,
  );
  const status = recordAt(answer, 'status');
  return { ...question, allowed: status.allowed === true, reason: filledTextAt(status, 'reason') };
}
