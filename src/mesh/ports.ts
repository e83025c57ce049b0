import type { CallOptions } from './callOptions.ts';
import type { ClusterApi } from './clusterApi.ts';
import type { PackageFile, VmHost } from './vmHost.ts';

export type * from './callOptions.ts';
export * from './clusterApi.ts';
export type * from './vmHost.ts';

/** What the mesh needs from outside. `kube`, `ssh` and `playground` implement these; nobody above can tell which. */

export interface ContextInfo {
  readonly name: string;
  readonly server: string;
  readonly namespace?: string;
  readonly current: boolean;
  /** True where a program is run for every token (EKS, GKE). */
  readonly runsProgram: boolean;
}

export interface HostAlias {
  readonly alias: string;
  readonly hostName?: string;
  readonly user?: string;
}

/** Where clusters and machines come from: real (kubeconfig, SSH config), or the playground. Listing contacts nothing. */
export interface Connections {
  contexts(options?: CallOptions): Promise<readonly ContextInfo[]>;
  cluster(context: string): Promise<ClusterApi>;
  hosts(options?: CallOptions): Promise<readonly HostAlias[]>;
  host(alias: string, options?: CallOptions): Promise<VmHost>;
  close(): Promise<void>;
}

/** Where the sidecar package comes from. */
export type PackageSource = (
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  /** A release's `istio.VERSION` file: its PILOT_DEBIAN_URL is used (citadel facts 2.3). */
  | { readonly kind: 'istio.VERSION'; readonly path: string }
) & {
  /** What the package must have, 64 hexadecimal digits; undefined: not compared. */
  readonly sha256?: string;
};

export interface PackageFetcher {
  fetch(source: PackageSource, options?: CallOptions): Promise<PackageFile>;
}

/** Saved edits of generated files, kept beside the inventory under `.mesh-expansion/<vm>/<path on the VM>`. */
export interface SavedEdit {
  readonly text: string;
  /** sha256 of the generated text the edit was made from. */
  readonly base: string;
}

export interface EditStore {
  read(vm: string, path: string): Promise<SavedEdit | undefined>;
  list(vm: string): Promise<readonly string[]>;
  write(vm: string, path: string, edit: SavedEdit): Promise<void>;
  delete(vm: string, path: string): Promise<void>;
}

export interface Clock {
  now(): Date;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
