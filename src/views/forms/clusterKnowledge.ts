import type { App } from '../../editor/app.ts';
import type { ClusterFacts, Held } from '../../editor/facts.ts';

/** What a form knows of the cluster that is chosen in it: read when it is not known yet, followed while the form is open. */
export interface ClusterKnowledge {
  readonly of: (cluster: string) => Held<ClusterFacts>;
  readonly listen: (again: () => void) => { dispose(): void };
}

export function clusterKnowledge(app: App): ClusterKnowledge {
  let asked = '';
  let shown = '';
  const look = () => signature(app.facts.cluster(asked));
  return {
    of: (cluster) => {
      const held = app.facts.cluster(cluster);
      asked = cluster;
      if (cluster !== '' && !held.loading && held.at === undefined) void app.facts.readCluster(cluster);
      shown = look();
      return app.facts.cluster(cluster);
    },
    listen: (again) =>
      app.facts.onDidChange(() => {
        if (look() === shown) return;
        shown = look();
        again();
      }),
  };
}

/** What of a cluster forms show: they are drawn anew only when it changes. */
function signature({ value, error, loading }: Held<ClusterFacts>): string {
  const known = value === undefined ? undefined : [value.workloadGroups?.map(({ group }) => group), value.controlPlane.limits ?? []];
  return JSON.stringify([known, error?.code, loading && value === undefined]);
}
