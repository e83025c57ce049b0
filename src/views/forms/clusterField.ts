import type { App } from '../../editor/app.ts';
import type { MeshRoom } from '../../editor/rooms.ts';
import type { ClusterEntry } from '../../mesh/model.ts';
import type { Field } from './protocol.ts';

/** Clusters to choose from: those of the inventory, and a plain one for every other context. Contacts nothing. */
export async function clustersOf(app: App): Promise<readonly ClusterEntry[]> {
  return (await app.session.inventory()).clusters;
}

export function clusterField(app: App, clusters: readonly ClusterEntry[]): Field {
  const { t } = app.texts;
  return {
    kind: 'choice',
    id: 'cluster',
    label: t('forms.cluster'),
    help: t('forms.cluster.help'),
    required: true,
    choices: clusters.map(({ name, context }) => ({
      value: name,
      label: name,
      ...(context === name ? {} : { description: t('forms.cluster.context', { context }) }),
    })),
  };
}

/** The cluster to begin with: the one asked for, the current context's, the only one. */
export async function firstCluster(app: App, asked: string | undefined): Promise<string> {
  if (asked !== undefined) return asked;
  const [clusters, contexts] = await Promise.all([clustersOf(app), app.session.contexts().catch(() => [])]);
  const current = contexts.find((context) => context.current)?.name;
  return (clusters.find(({ context }) => context === current) ?? clusters[0])?.name ?? '';
}

/** The inventory's text with an entry for the cluster, which may so far be known from the kubeconfig alone. */
export function withCluster(text: string, room: MeshRoom, name: string, clusters: readonly ClusterEntry[]): string {
  const known = room.readInventory(text);
  if (known.ok && known.parsed.inventory.clusters.some((cluster) => cluster.name === name)) return text;
  const entry = clusters.find((cluster) => cluster.name === name);
  return entry === undefined ? text : room.addCluster(text, entry.context === name ? { context: name } : { name, context: entry.context });
}
