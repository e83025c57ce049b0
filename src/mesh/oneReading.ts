import type { ClusterApi, KubeObject, ListEnd, ListOptions, ObjectQuery } from './ports.ts';

/** Told what was listed, and where the list ended where a watch may go on from it. */
export type OnListed = (query: ObjectQuery, objects: readonly KubeObject[], end: ListEnd | undefined) => void;

/** A cluster for one reading, whose parts all run under the same limits: what is listed by several of them is asked for once, and `onListed` is told. */
export function oneReading(api: ClusterApi, onListed?: OnListed): ClusterApi {
  const listed = async (query: ObjectQuery, options?: ListOptions): Promise<readonly KubeObject[]> => {
    if (onListed === undefined) return api.list(query, options);
    const end: { last?: ListEnd } = {};
    const objects = await api.list(query, { ...options, onEnd: (one) => (end.last = one) });
    onListed(query, objects, end.last);
    return objects;
  };
  const lists = new Map<string, Promise<readonly KubeObject[]>>();
  return withList(api, (query, options) => {
    const { apiVersion, kind, namespace, labelSelector, fieldSelector } = query;
    const key = JSON.stringify([apiVersion, kind, namespace, labelSelector, fieldSelector]);
    const list = lists.get(key) ?? listed(query, options);
    lists.set(key, list);
    return list;
  });
}

/** The cluster, with lists made in another way. */
export function withList(api: ClusterApi, list: ClusterApi['list']): ClusterApi {
  return {
    context: api.context,
    list,
    version: (options) => api.version(options),
    get: (ref, options) => api.get(ref, options),
    watch: (query, onEvent, options) => api.watch(query, onEvent, options),
    apply: (object, options) => api.apply(object, options),
    create: (object, options) => api.create(object, options),
    replace: (object, options) => api.replace(object, options),
    delete: (ref, options) => api.delete(ref, options),
    createToken: (account, request, options) => api.createToken(account, request, options),
    can: (questions, options) => api.can(questions, options),
    serviceCidrs: (options) => api.serviceCidrs(options),
    close: () => api.close(),
  };
}
