import type * as mesh from '../mesh/index.ts';
import type { Connections, HostPrompter, PackageFetcher } from '../mesh/ports.ts';

/** The core, loaded from its own bundle on first use. */
export type MeshRoom = typeof mesh;

/** Clusters, machines and packages: the real ones, or the playground's. */
export interface Backend {
  /** Text of the inventory to begin with, where the backend brings one. */
  readonly defaultInventory?: string;
  readonly connections: Connections;
  readonly packages: PackageFetcher;
}

/** What the real backend is made with. */
export interface BackendEnvironment {
  readonly kubeconfig: readonly string[];
  readonly sshConfig: string | undefined;
  readonly prompter: HostPrompter;
}

/** Bundles that are not loaded before something needs them (design: Nothing runs until asked). */
export interface Rooms {
  mesh(): Promise<MeshRoom>;
  real(environment: BackendEnvironment): Promise<Backend>;
  playground(): Promise<Backend>;
}
