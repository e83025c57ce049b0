// The tree without an editor: its own readings and watches over a mesh; what an editor does (a node opened, a window shown) is called by hand.
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterReadings, type ClusterFacts } from '../../../src/editor/clusterReadings.ts';
import type { Held } from '../../../src/editor/facts.ts';
import type { MeshError } from '../../../src/mesh/errors.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { ClusterApi } from '../../../src/mesh/ports.ts';
import { childrenOf, clusterNodes, type Known } from '../../../src/views/buildNodes.ts';
import type { Node } from '../../../src/views/nodes.ts';
import { Watches } from '../../../src/views/watches.ts';

type Expanded = (event: { readonly element: object }) => void;

export interface HeadlessTree {
  /** What was logged by watches. */
  readonly errors: MeshError[];
  read(cluster: string): Promise<Held<ClusterFacts>>;
  readAnew(cluster: string): Promise<Held<ClusterFacts>>;
  open(cluster: string): void;
  close(cluster: string): void;
  shown(cluster: string): Held<ClusterFacts>;
  /** Nodes below a cluster. */
  nodes(cluster: string): readonly Node[];
  /** How often something that is shown has changed. */
  changes(): number;
  /** Ends when what is shown is as wanted; throws after the limit, with what was shown then. */
  until(cluster: string, isWanted: (held: Held<ClusterFacts>) => boolean, limitMs?: number): Promise<void>;
  dispose(): void;
}

/** `connect`: by the context's name, as watches do it. */
export function headlessTree(mesh: Mesh, connect: (context: string) => Promise<ClusterApi>, timeoutMs = 15_000): HeadlessTree {
  const listeners = new Set<() => void>();
  let changes = 0;
  const fire = () => {
    changes += 1;
    for (const listener of [...listeners]) listener();
  };
  const onDidChange = (listener: () => void) => {
    listeners.add(listener);
    return { dispose: () => void listeners.delete(listener) };
  };
  const readings = new ClusterReadings({
    mesh: async () => mesh,
    timeoutMs: () => timeoutMs,
    changed: { fire },
    onReadAgain: () => undefined,
  });
  const nothing = { dispose: () => undefined };
  const told: { expand?: Expanded; collapse?: Expanded } = {};
  const view = {
    visible: true,
    onDidExpandElement: (listener: Expanded) => ((told.expand = listener), nothing),
    onDidCollapseElement: (listener: Expanded) => ((told.collapse = listener), nothing),
    onDidChangeVisibility: () => nothing,
  };
  const session = {
    onDidReset: () => nothing,
    file: { onDidChange: () => nothing },
    inventory: async () => mesh.inventory(),
    backend: async () => ({ connections: { cluster: connect } }),
    mesh: async () => mesh,
  };
  const facts = {
    onDidChange,
    cluster: (name: string) => readings.get(name),
    takeSeen: (...call: Parameters<ClusterReadings['takeSeen']>) => readings.takeSeen(...call),
    setUnwatched: (...call: Parameters<ClusterReadings['setUnwatched']>) => readings.setUnwatched(...call),
    readCluster: (name: string) => readings.read(name),
    readChanged: (...call: Parameters<ClusterReadings['readChanged']>) => readings.readChanged(...call),
    lookAgain: (...call: Parameters<ClusterReadings['lookAgain']>) => readings.lookAgain(...call),
    readTouched: async () => undefined,
  };
  const errors: MeshError[] = [];
  const log = { error: (_: string, error: MeshError) => void errors.push(error) };
  const watches = new Watches(...([view, session, facts, log] as unknown as ConstructorParameters<typeof Watches>));
  const known: Known = {
    inventory: mesh.inventory(),
    playground: false,
    cluster: (name) => readings.get(name),
    vm: () => ({ loading: false }),
    checks: () => undefined,
    now: () => new Date(),
  };
  const element = (name: string) => ({ element: { kind: 'cluster', cluster: { name } } });
  return {
    errors,
    read: (name) => readings.read(name),
    readAnew: (name) => readings.readAnew(name),
    open: (name) => told.expand?.(element(name)),
    close: (name) => told.collapse?.(element(name)),
    shown: (name) => readings.get(name),
    nodes: (name) => clusterNodes(known).flatMap((node) => (node.cluster.name === name ? childrenOf(node, known) : [])),
    changes: () => changes,
    until: async (name, isWanted, limitMs = 15_000) => {
      const ended = Promise.withResolvers<undefined>();
      const check = () => {
        if (isWanted(readings.get(name))) ended.resolve(undefined);
      };
      const { dispose } = onDidChange(check);
      const stop = new AbortController();
      const late = sleep(limitMs, undefined, { signal: stop.signal }).then(
        () => {
          throw new Error(`not shown within ${limitMs} ms: ${JSON.stringify(readings.get(name))}`);
        },
        () => undefined,
      );
      try {
        check();
        await Promise.race([ended.promise, late]);
      } finally {
        dispose();
        stop.abort();
      }
    },
    dispose: () => {
      watches.dispose();
      readings.clear();
    },
  };
}
