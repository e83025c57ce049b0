// The tree's own watch of an open cluster, on a real API server: what an event touches is asked again, as the window does it.
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';
import { touchedBy, type Input } from '../../../src/editor/touched.ts';
import type { Mesh, VmStatus } from '../../../src/mesh/mesh.ts';
import { Watches } from '../../../src/views/watches.ts';
import type { Lab } from '../env.ts';

type Parts = ConstructorParameters<typeof Watches>;
type Listener = (event: { readonly element: object }) => void;

export interface TreeWatch {
  /** What the last event brought of each machine: its status, or the error that its row would show. */
  readonly seen: ReadonlyMap<string, VmStatus | Error>;
  forget(): void;
  stop(): void;
}

/** Watches the cluster of that name as its open row does. */
export function watchAsTree(lab: Lab, mesh: Mesh, cluster: string): TreeWatch {
  const seen = new Map<string, VmStatus | Error>();
  const none = { dispose: () => undefined };
  let open: Listener = () => undefined;
  const view = {
    visible: true,
    onDidExpandElement: (listener: Listener) => ((open = listener), none),
    onDidCollapseElement: () => none,
    onDidChangeVisibility: () => none,
  };
  const session = {
    onDidReset: () => none,
    file: { onDidChange: () => none },
    inventory: async () => mesh.inventory(),
    mesh: async () => mesh,
    backend: async () => ({
      connections: {
        cluster: async (context: string) =>
          createClusterApi({ kubeconfig: await loadKubeconfig({ paths: [lab.kubeconfig] }), context, env: {} }),
      },
    }),
  };
  const facts = {
    onDidChange: () => none,
    cluster: () => ({ value: {}, loading: false }),
    takeSeen: () => undefined,
    readCluster: async () => undefined,
    setUnwatched: () => undefined,
    lookAgain: async () => undefined,
    readChanged: async () => undefined,
    readTouched: async (_: string, inputs: readonly Input[]) => {
      const touched = mesh.inventory().vms.filter(touchedBy(inputs));
      await Promise.all(
        touched.map(async ({ name }) =>
          seen.set(name, await mesh.vmStatus(name).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))),
        ),
      );
    },
  };
  const watches = new Watches(...([view, session, facts, { error: () => undefined }] as unknown as Parts));
  open({ element: { kind: 'cluster', cluster: { name: cluster } } });
  return { seen, forget: () => seen.clear(), stop: () => watches.dispose() };
}
