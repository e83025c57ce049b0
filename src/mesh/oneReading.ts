import type { ClusterApi, KubeObject, ObjectQuery } from './ports.ts';

/** A cluster for one reading, whose parts all run under the same limits: what is listed by several of them is asked for once, and `onListed` is told. */
export function oneReading(
  api: ClusterApi,
  onListed: (query: ObjectQuery, objects: readonly KubeObject[]) => void = () => undefined,
): ClusterApi {
  const lists = new Map<string, Promise<readonly KubeObject[]>>();
  return {
    context: api.context,
    list: (query, options) => {
      const { apiVersion, kind, namespace, labelSelector, fieldSelector } = query;
      const key = JSON.stringify([apiVersion, kind, namespace, labelSelector, fieldSelector]);
      const list = lists.get(key) ?? api.list(query, options).then((objects) => (onListed(query, objects), objects));
      lists.set(key, list);
      return list;
    },
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
