import type { Seen } from '../editor/clusterReadings.ts';
import { keyOf, newsOf } from '../editor/watchNews.ts';
import type { ChangedObject } from '../mesh/mesh.ts';
import type { ClusterApi, ObjectQuery } from '../mesh/ports.ts';

/** What has changed; `all` where nobody knows what. */
export type OnNews = (news: ChangedObject | 'all') => void;

/** What is as it was read says nothing, so that a cluster is not read again because its watch begins; what went since then does. Without a reading to compare with, all does. */
export function watchShown(
  api: ClusterApi,
  query: ObjectQuery,
  read: Seen | undefined,
  signal: AbortSignal,
  onNews: OnNews,
): Promise<void> {
  const seen = new Map(read?.digests);
  const missing = new Set(read?.end === undefined ? seen.keys() : []);
  let isKnown = read !== undefined;
  return api.watch(
    query,
    (event) => {
      const { kind, metadata } = event.object;
      missing.delete(keyOf(event.object));
      const news = newsOf(event, seen);
      if (news === 'none' || !isKnown) return;
      onNews({ kind, namespace: metadata.namespace ?? '', name: metadata.name, ...(news === 'groups' ? { stateOnly: true } : {}) });
    },
    {
      signal,
      from: read?.end,
      onListed: () => {
        if (!isKnown) onNews('all');
        isKnown = true;
        for (const key of missing) {
          seen.delete(key);
          const [namespace = '', name = ''] = key.split('/');
          onNews({ kind: query.kind, namespace, name });
        }
        missing.clear();
      },
    },
  );
}
