import type { MeshError } from '../mesh/errors.ts';
import type { FileDrift, UnmanagedVm } from '../mesh/mesh.ts';
import type { Message } from '../mesh/messages.ts';
import type {
  ClusterEntry,
  GeneratedFile,
  LoadBalancer,
  RegisteredService,
  ServiceEntry,
  VmCondition,
  VmEntry,
  WorkloadEntry,
  WorkloadGroup,
  WorkloadGroupFacts,
} from '../mesh/model.ts';
import type { UnitState } from '../mesh/ports.ts';
import type { CheckRun, ClusterFacts, Held, VmFacts } from '../editor/facts.ts';

/** The tree's nodes. Each carries what its line shows; ids are stable across reads, so that the tree keeps what is open and selected. */
export type Node =
  | ClusterNode
  | GroupNode
  | LoadBalancerNode
  | VmNode
  | FileNode
  | UnitNode
  | ChecksNode
  | ServiceNode
  | EndpointNode
  | UnmanagedNode
  | WorkloadGroupNode
  | NoticeNode
  | ErrorNode
  | HintNode;

interface Base {
  readonly id: string;
  readonly parent?: Node;
}

export interface ClusterNode extends Base {
  readonly kind: 'cluster';
  readonly cluster: ClusterEntry;
  readonly facts: Held<ClusterFacts>;
  readonly playground: boolean;
}

export type Group = 'loadBalancers' | 'workloadGroups' | 'vms' | 'services';

export interface GroupNode extends Base {
  readonly kind: 'group';
  readonly group: Group;
  readonly cluster: string;
  readonly count: number;
  /** loadBalancers: the ready ones; vms: the joined ones as far as known; workloadGroups: the connected machines. */
  readonly good: number;
  /** vms and workloadGroups: machines that need something. */
  readonly attention: number;
  readonly loading: boolean;
}

export interface LoadBalancerNode extends Base {
  readonly kind: 'loadBalancer';
  readonly cluster: string;
  readonly balancer: LoadBalancer;
}

/**
 * `unknown`: not asked yet; `connected`: not asked yet, and the cluster sees it; `unreachable`: the machine did not answer; `blocked`: its files cannot be made,
 * e.g. before the cluster is set up.
 */
export type VmState = VmCondition | 'unknown' | 'connected' | 'unreachable' | 'blocked';

export interface VmNode extends Base {
  readonly kind: 'vm';
  readonly cluster: string;
  readonly vm: VmEntry;
  readonly state: VmState;
  readonly status: Held<VmFacts>;
  /** How the cluster sees it now; undefined where it lists no machines. */
  readonly entry?: WorkloadEntry;
  /** Renewing credentials and changing packages make sense: its cluster makes VMs from workload groups. */
  readonly grouped: boolean;
}

/** A template of the cluster, with the machines made from it below. */
export interface WorkloadGroupNode extends Base {
  readonly kind: 'workloadGroup';
  readonly cluster: string;
  readonly facts: WorkloadGroupFacts;
  readonly count: number;
  readonly connected: number;
  readonly attention: number;
}

/** What a person should know of a cluster: what is missing there, what is not served. */
export interface NoticeNode extends Base {
  readonly kind: 'notice';
  readonly cluster: string;
  readonly text: Message;
  readonly value?: string;
  readonly nextStep?: Message;
  /** Joins are refused. */
  readonly blocking: boolean;
  /** Set Up Cluster may help. */
  readonly fixable: boolean;
}

export interface FileNode extends Base {
  readonly kind: 'file';
  readonly cluster: string;
  readonly vm: string;
  readonly file: GeneratedFile;
  readonly drift: FileDrift;
  readonly edited: boolean;
  /** End of life on the VM, ISO 8601; only for certificates and keys. */
  readonly notAfter?: string;
}

export interface UnitNode extends Base {
  readonly kind: 'unit';
  readonly vm: string;
  readonly unit: UnitState;
}

export interface ChecksNode extends Base {
  readonly kind: 'checks';
  readonly vm: string;
  readonly run?: CheckRun;
}

/** A service of the inventory, of the cluster, or of both. */
export interface ServiceNode extends Base {
  readonly kind: 'service';
  readonly cluster: string;
  readonly name: string;
  readonly namespace: string;
  readonly entry?: ServiceEntry;
  readonly registered?: RegisteredService;
}

export interface EndpointNode extends Base {
  readonly kind: 'endpoint';
  readonly address: string;
  readonly ports: readonly number[];
  readonly vm?: string;
}

export interface UnmanagedNode extends Base {
  readonly kind: 'unmanaged';
  readonly cluster: string;
  readonly machine: UnmanagedVm;
  /** Set for a machine that a workload group lists. */
  readonly from?: { readonly group: WorkloadGroup; readonly entry: WorkloadEntry };
}

export interface ErrorNode extends Base {
  readonly kind: 'error';
  readonly error: MeshError;
  /** What *Retry* reads again. */
  readonly retry:
    | { readonly kind: 'root' }
    | { readonly kind: 'cluster'; readonly cluster: string }
    | { readonly kind: 'vm'; readonly vm: string }
    | { readonly kind: 'inventory' };
}

/** A line that says what to do where there is nothing. */
export interface HintNode extends Base {
  readonly kind: 'hint';
  readonly hint: 'noBalancers' | 'noGroups' | 'noGroupVms' | 'noVms' | 'noServices' | 'reading' | 'tooMany' | 'untrusted';
  /** '' where it is about all of them. */
  readonly cluster: string;
}

/** A click shows how it differs: there is something on the VM, and it can be shown. */
export function opensAsDiff({ file, drift }: FileNode): boolean {
  return drift === 'differs' && file.content.kind === 'text';
}

/** Conditions from most to least urgent (ui.md); what counts as needing attention comes first. */
const urgency: readonly VmState[] = [
  'failed',
  'unreachable',
  'needs-person',
  'needs-push',
  'expiring',
  'blocked',
  'pending',
  'in-sync',
  'connected',
  'unknown',
  'not-joined',
];

export function needsAttention(state: VmState): boolean {
  return ['failed', 'needs-person', 'needs-push', 'expiring'].includes(state);
}

export function byUrgency(one: VmState, other: VmState): number {
  return urgency.indexOf(one) - urgency.indexOf(other);
}
