// The core as the extension has it, on a lab's cluster and machines: real connections, no saved edits.
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';
import { createMesh } from '../../../src/mesh/createMesh.ts';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import { createPackageFetcher, openHost } from '../../../src/ssh/index.ts';
import type { Lab } from '../env.ts';
import type { GroupByHand } from './istiodGuide.ts';

const nobody = { confirmHostKey: async () => false, secret: async () => undefined, note: () => undefined };

/** A mesh over an inventory, as an object of mesh-expansion.yaml. Its clock runs `pace` times as fast, for tests of what it does at the end of its patience. Close it. */
export function vmMesh(lab: Lab, document: object, pace = 1): Mesh {
  const { inventory } = parseInventory(stringify(document));
  const begin = Date.now();
  return createMesh(
    {
      connections: {
        contexts: async () => [],
        cluster: async (context) => createClusterApi({ kubeconfig: await loadKubeconfig({ paths: [lab.kubeconfig] }), context, env: {} }),
        hosts: async () => [],
        host: (alias, options) => openHost(alias, { configFile: lab.sshConfig, prompter: nobody, options }),
        close: async () => undefined,
      },
      edits: { read: async () => undefined, list: async () => [], write: async () => undefined, delete: async () => undefined },
      clock: {
        now: () => new Date(begin + (Date.now() - begin) * pace),
        sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
      },
      packages: createPackageFetcher(),
    },
    () => inventory,
  );
}

/** A mesh whose machines are of the group; `more` settings for each. Close it. */
export function groupMesh(lab: Lab, { name, namespace }: GroupByHand, machines: readonly string[], more: object = {}, pace = 1): Mesh {
  const group = { cluster: 'prod', namespace, serviceAccount: name, workloadGroup: name };
  const document = {
    version: 1,
    clusters: [{ name: 'prod', context: lab.contexts.lab }],
    vms: machines.map((machine) => ({ name: machine, ...group, ...more })),
  };
  return vmMesh(lab, document, pace);
}
