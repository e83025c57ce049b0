import type {
  CheckResult,
  ControlPlane,
  Finding,
  GeneratedFile,
  Inventory,
  LoadBalancer,
  Provider,
  RegisteredService,
  VmCondition,
  WorkloadEntry,
  WorkloadGroup,
  WorkloadGroupFacts,
} from './model.ts';
import type {
  AccessAnswer,
  CallOptions,
  Clock,
  Connections,
  EditStore,
  HostState,
  KubeObject,
  ObjectQuery,
  PackageFetcher,
  PackageSource,
  ServiceCidrs,
  VmHost,
} from './ports.ts';
import type { Message } from './messages.ts';
import type { OnListed } from './oneReading.ts';
import type { Plan } from './plan.ts';

/** What the core needs to work: everything outside comes through these ports. */
export interface MeshPorts {
  readonly connections: Connections;
  readonly edits: EditStore;
  readonly clock: Clock;
  readonly packages: PackageFetcher;
}

export interface SetupOptions {
  readonly provider?: Provider;
  /** The load balancers' YAML as the person edited it; undefined: as generated. */
  readonly manifest?: string;
  /** Milliseconds to wait for addresses; 0: do not wait. Default 600,000 (the script's 20 x 30 s, citadel facts 1.1). */
  readonly waitMs?: number;
}

export interface JoinOptions {
  /** Default: the package must be installed already, else the plan says so before anything runs. */
  readonly package?: PackageSource;
}

/** What Set Up Cluster shows before anything is changed. */
export interface SetupPreview {
  readonly controlPlane: ControlPlane;
  readonly provider: Provider | undefined;
  /** `not-asked`: this release needs no provider. */
  readonly providerSource: 'inventory' | 'detected' | 'option' | 'none' | 'not-asked';
  /** YAML of what is missing in the cluster, ready to be edited. */
  readonly manifest: string;
  readonly objects: readonly KubeObject[];
  readonly serviceCidrs: ServiceCidrs | undefined;
  /** What the user's account may not do. */
  readonly denied: readonly AccessAnswer[];
  /** What a person has to run with other tools first, e.g. to install a gateway. */
  readonly commands?: readonly { readonly title: Message; readonly commandLine: string }[];
}

/** Generated files of one VM with saved edits applied. */
export interface Generated {
  readonly vm: string;
  readonly controlPlane: ControlPlane;
  readonly files: readonly GeneratedFile[];
  /** What the generator wrote, by path, before saved edits. */
  readonly pristine: ReadonlyMap<string, GeneratedFile>;
  /** Paths with a saved edit that is in force. */
  readonly edited: readonly string[];
  /** Paths whose saved edit was made from an older generated text: a push stops here. */
  readonly conflicts: readonly string[];
  readonly findings: readonly Finding[];
  /** ISO 8601 time of the cluster read. */
  readonly readAt: string;
}

export type FileDrift = 'same' | 'differs' | 'missing' | 'mode';

export interface VmStatus {
  readonly vm: string;
  readonly condition: VmCondition;
  /** One line: the one thing that matters most. */
  readonly summary: Message;
  readonly files: readonly { readonly file: GeneratedFile; readonly drift: FileDrift }[];
  readonly units: HostState['units'];
  /** End of life of the certificate on the VM, ISO 8601. */
  readonly certificateNotAfter?: string;
  /** End of life of the token on the VM, ISO 8601. */
  readonly tokenExpiresAt?: string;
  /** How the cluster sees it, in eras where it does. */
  readonly entry?: WorkloadEntry;
  /** What the machine alone says, before `entry` is taken into account: a newer entry is joined to it by `withEntry`. */
  readonly own?: Judgement;
  /** The files as they were generated for this status: a document of them needs no second reading. */
  readonly generated?: Generated;
  readonly state: HostState;
}

export interface Judgement {
  readonly condition: VmCondition;
  /** One line: the one thing that matters most. */
  readonly summary: Message;
}

/** A machine that the cluster knows and the inventory does not. */
export interface UnmanagedVm {
  readonly address: string;
  /** Registered services that list it, as NAMESPACE/NAME. */
  readonly services: readonly string[];
}

/** Objects whose changes show in the tree. */
export interface Watched extends ObjectQuery {
  /** Set where files of VMs are made from the object: of all VMs of the cluster, or of those of a namespace. An account may be refused to watch it. */
  readonly inputOf?: 'all' | { readonly namespace: string };
}

/** What the tree and `cluster status` show of a cluster, of one reading. */
export interface ClusterOverview {
  readonly controlPlane: ControlPlane;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly services: readonly RegisteredService[];
  readonly unmanaged: readonly UnmanagedVm[];
  /** Undefined where the cluster's Istio has none. */
  readonly workloadGroups?: readonly WorkloadGroupFacts[];
}

/** An object that is another than when its cluster was read. */
export interface ChangedObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** It is what it was, and stands otherwise: a machine that connects, goes or turns unhealthy. */
  readonly stateOnly?: boolean;
}

export interface OverviewOptions extends CallOptions {
  readonly fresh?: boolean;
  readonly onListed?: OnListed;
}

export interface CheckEvents {
  readonly onStart?: (id: string, commandLine: string, total: number) => void;
  readonly onResult?: (result: CheckResult) => void;
}

/**
 * The whole core for an editor or a command line: names in, plans and facts out. Plans are run by `runPlan` (planRunner.ts).
 * Every method may throw MeshError; a name that the inventory lacks is `inventory.unknown-name` (bad-input, offers the nearest).
 */
export interface Mesh {
  readonly ports: MeshPorts;
  /** `fresh`: found anew, whatever was found a moment ago. */
  controlPlane(cluster: string, options?: CallOptions & { readonly fresh?: boolean }): Promise<ControlPlane>;
  /** All that the next four tell, with one list call per kind (design: Budgets). `fresh`: as of `controlPlane`; `onListed`: told the objects it is made of. */
  overview(cluster: string, options?: OverviewOptions): Promise<ClusterOverview>;
  /** An overview after a few of the cluster's objects changed: only what they touch is read, and the control plane stays as it was found. `before`: read with the inventory as it is now. */
  overviewAfter(
    cluster: string,
    before: ClusterOverview,
    changed: readonly ChangedObject[],
    options?: CallOptions,
  ): Promise<ClusterOverview>;
  loadBalancers(cluster: string, options?: CallOptions): Promise<readonly LoadBalancer[]>;
  services(cluster: string, options?: CallOptions): Promise<readonly RegisteredService[]>;
  unmanaged(cluster: string, options?: CallOptions): Promise<readonly UnmanagedVm[]>;
  /** Undefined where the cluster's era has none. */
  workloadGroups(cluster: string, options?: CallOptions): Promise<readonly WorkloadGroupFacts[] | undefined>;
  /** Creates or changes a workload group, and makes its service account where it is missing. Throws `era.no-groups` where the era has none. */
  planWorkloadGroup(cluster: string, group: WorkloadGroup, options?: CallOptions): Promise<Plan>;
  /** What the tree watches in the cluster. */
  watched(cluster: string, options?: CallOptions): Promise<readonly Watched[]>;
  setupPreview(cluster: string, setup?: SetupOptions, options?: CallOptions): Promise<SetupPreview>;
  planSetup(cluster: string, setup?: SetupOptions, options?: CallOptions): Promise<Plan>;
  /** `offline`: no address is asked from the VM and no ISTIO_SVC_IP is written (design: generate). */
  generate(vm: string, options?: CallOptions & { readonly offline?: boolean }): Promise<Generated>;
  vmStatus(vm: string, options?: CallOptions): Promise<VmStatus>;
  planJoin(vm: string, join?: JoinOptions, options?: CallOptions): Promise<Plan>;
  /** Fresh credentials for a VM whose own ran out, or will. */
  planRenew(vm: string, options?: CallOptions): Promise<Plan>;
  /** A newer sidecar package on a joined VM. */
  planUpgrade(vm: string, join: JoinOptions, options?: CallOptions): Promise<Plan>;
  planPush(vm: string, options?: CallOptions): Promise<Plan>;
  planLeave(vm: string, options?: CallOptions): Promise<Plan>;
  planRollback(vm: string, options?: CallOptions): Promise<Plan>;
  planExposePorts(vm: string, ports: readonly number[] | '*', options?: CallOptions): Promise<Plan>;
  /** NAME or NAME.NAMESPACE of the inventory. */
  planRegister(service: string, options?: CallOptions): Promise<Plan>;
  planDeregister(service: string, options?: CallOptions & { readonly vms?: readonly string[] }): Promise<Plan>;
  check(vm: string, events?: CheckEvents, options?: CallOptions & { readonly only?: readonly string[] }): Promise<readonly CheckResult[]>;
  /** The open connection to a VM, shared by all methods until `close`. */
  host(vm: string, options?: CallOptions): Promise<VmHost>;
  /** The inventory as it is now. */
  inventory(): Inventory;
  /** Closes every connection that was opened. */
  close(): Promise<void>;
}
