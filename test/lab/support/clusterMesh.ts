// The core on a lab's cluster alone: no machine, no package, no saved edit.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';
import { createMesh } from '../../../src/mesh/createMesh.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { Inventory } from '../../../src/mesh/model.ts';
import type { Lab } from '../env.ts';

/** A mesh whose clusters are the lab's; asking a machine or fetching a package fails the test. Close it. */
export function clusterMesh(lab: Lab, inventory: Inventory): Mesh {
  return createMesh(
    {
      connections: {
        contexts: async () => [],
        cluster: async (name) =>
          createClusterApi({ kubeconfig: await loadKubeconfig({ paths: [lab.kubeconfig] }), context: name, env: {} }),
        hosts: async () => [],
        host: async (alias) => assert.fail(`no machine is asked here: ${alias}`),
        close: async () => undefined,
      },
      edits: { read: async () => undefined, list: async () => [], write: async () => undefined, delete: async () => undefined },
      clock: { now: () => new Date(), sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }) },
      packages: { fetch: async () => assert.fail('no package is fetched here') },
    },
    () => inventory,
  );
}
