import type { JoinOptions, MeshPorts, SetupOptions, SetupPreview, Watched } from './mesh.ts';
import type {
  CheckResult,
  ClusterEntry,
  ControlPlane,
  EraId,
  Finding,
  GeneratedFile,
  Inventory,
  LoadBalancer,
  RegisteredService,
  ServiceEntry,
  VmEntry,
  WorkloadEntry,
  WorkloadGroup,
  WorkloadGroupFacts,
} from './model.ts';
import type { CallOptions, ClusterApi, CommandOutput, HostCommand, HostState, ProbeRequest, VmHost } from './ports.ts';
import type { Message } from './messages.ts';
import type { Plan } from './plan.ts';

/** A cluster being worked on. */
export interface ClusterScope {
  readonly entry: ClusterEntry;
  readonly api: ClusterApi;
  readonly controlPlane: ControlPlane;
  readonly inventory: Inventory;
  readonly ports: MeshPorts;
}

/**
 * A VM being worked on. `address` is the VM's own: from the inventory, else asked from the VM; undefined offline.
 * `state` is what the VM answered to the era's `hostInputs`: files that are merged with what is there (sidecar.env, the resolver's) need it; undefined offline.
 */
export interface VmScope extends ClusterScope {
  readonly vm: VmEntry;
  readonly address?: string;
  readonly state?: HostState;
  /** Addresses of a host name as programs on the VM get them; undefined offline. */
  readonly resolve?: (name: string, options?: CallOptions) => Promise<readonly string[]>;
}

/** A connection check: the command, the judge, the explanation (design: Checks explain themselves). */
export interface Check {
  readonly id: string;
  readonly command: HostCommand;
  /** Set where there is nothing to check: the command is not run, the verdict is `skipped` with this reason. */
  readonly skipped?: Message;
  /** Judges the output; it sees earlier results, so that a pod address found by one check serves the next. */
  judge(output: CommandOutput, earlier: readonly CheckResult[]): Promise<Pick<CheckResult, 'verdict' | 'reason' | 'why' | 'nextStep'>>;
}

/** Templates in the cluster that VMs are made from, and what the cluster knows of each VM; live objects, without asking any VM. */
export interface WorkloadGroups {
  read(scope: ClusterScope, options?: CallOptions): Promise<readonly WorkloadGroupFacts[]>;
  /** How the cluster sees this VM. */
  entryOf(scope: VmScope, options?: CallOptions): Promise<WorkloadEntry>;
  /** Throws before anything is changed: `cluster.access-denied`, `group.invalid` with the field. */
  plan(scope: ClusterScope, group: WorkloadGroup, options?: CallOptions): Promise<Plan>;
}

/** One generation of Istio. A new era is a new file that implements this, and one line in `eras.ts`. */
export interface Era {
  readonly id: EraId;
  /** Absent in eras without them. */
  readonly groups?: WorkloadGroups;
  watched(scope: ClusterScope, options?: CallOptions): Promise<readonly Watched[]>;
  /** Finds this era's control plane; undefined where it is another's. Reads only. */
  detect(entry: ClusterEntry, api: ClusterApi, options?: CallOptions): Promise<ControlPlane | undefined>;
  /** Control plane for a release that the inventory pins; undefined where the release is another era's. */
  pinned(release: string): ControlPlane | undefined;
  /** What else is told of a pinned control plane; absent in eras that tell nothing. Reads only. */
  details?(
    scope: Pick<ClusterScope, 'entry' | 'api' | 'controlPlane'>,
    options?: CallOptions,
  ): Promise<Pick<ControlPlane, 'details' | 'limits'>>;
  loadBalancers(scope: ClusterScope, options?: CallOptions): Promise<readonly LoadBalancer[]>;
  /**
   * Kinds of which an object is about the registered service of its own name and namespace alone. An object of any other kind that `services` and `groups` list
   * may be about everything in its namespace, and about nothing beyond.
   */
  readonly serviceKinds: readonly string[];
  services(scope: ClusterScope, options?: CallOptions): Promise<readonly RegisteredService[]>;
  setupPreview(scope: ClusterScope, setup: SetupOptions, options?: CallOptions): Promise<SetupPreview>;
  planSetup(scope: ClusterScope, setup: SetupOptions, options?: CallOptions): Promise<Plan>;
  /** What `generate` wants to know of the VM when it can be reached; the answer goes into `VmScope.state`. */
  hostInputs(scope: ClusterScope, vm: VmEntry): ProbeRequest;
  /** Every file of the VM. Throws MeshError with the field, object and next step where an input is missing or wrong. */
  generate(scope: VmScope, options?: CallOptions): Promise<readonly GeneratedFile[]>;
  lint(scope: VmScope, files: readonly GeneratedFile[], state?: HostState): readonly Finding[];
  /** What to ask a VM for its status. */
  probe(scope: VmScope, files: readonly GeneratedFile[]): ProbeRequest;
  planJoin(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], join: JoinOptions, options?: CallOptions): Promise<Plan>;
  planPush(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<Plan>;
  planRenew(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<Plan>;
  planUpgrade(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], join: JoinOptions, options?: CallOptions): Promise<Plan>;
  planLeave(scope: VmScope, host: VmHost, options?: CallOptions): Promise<Plan>;
  planExposePorts(scope: VmScope, host: VmHost, ports: readonly number[] | '*', options?: CallOptions): Promise<Plan>;
  planRegister(scope: ClusterScope, service: ServiceEntry, addresses: ReadonlyMap<string, string>, options?: CallOptions): Promise<Plan>;
  planDeregister(scope: ClusterScope, service: ServiceEntry, addresses: ReadonlyMap<string, string>, options?: CallOptions): Promise<Plan>;
  checks(scope: VmScope, options?: CallOptions): Promise<readonly Check[]>;
}
