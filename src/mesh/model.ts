import type { Message } from './messages.ts';
import type { CallOptions, ObjectRef } from './ports.ts';
import type { Secret } from './secret.ts';

export type * from './workloads.ts';

/** The words of the project (design: Words). Inventory types mirror `mesh-expansion.yaml` (design: Contracts); `inventory.ts` parses into them. */

export type EraId = 'citadel' | 'istiod';
export const providers = ['gcp', 'aws', 'azure', 'alibaba', 'tencent', 'huawei', 'openstack', 'keepalived', 'nodeport', 'none'] as const;
export type Provider = (typeof providers)[number];

/** What becomes of a gateway's host name: resolved on the VM for its hosts file, or the name that the VM calls istiod by (`ISTIOD_SAN`). */
export const gatewayHostnames = ['resolve', 'san'] as const;
export type GatewayHostname = (typeof gatewayHostnames)[number];
export type ControlPlaneAuth = 'MUTUAL_TLS' | 'NONE';

export interface ClusterEntry {
  readonly name: string;
  readonly context: string;
  readonly istio: {
    readonly namespace: string;
    readonly release?: string;
    readonly clusterId?: string;
    readonly controlPlaneAuth?: ControlPlaneAuth;
    readonly revision?: string;
  };
  readonly serviceCidr?: readonly string[];
  readonly clusterDomain: string;
  readonly ingress?: { readonly service: string; readonly address?: string; readonly hostname?: GatewayHostname };
  readonly loadBalancers?: { readonly provider?: Provider };
}

export interface VmEntry {
  readonly name: string;
  readonly host: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly address?: string;
  /** Captured inbound TCP ports, or '*' for all. */
  readonly inboundPorts?: readonly number[] | '*';
  readonly workloadGroup?: string;
  readonly autoRegister?: boolean;
  readonly captureDns?: boolean;
  readonly externalAddress?: string;
}

export interface ServicePortEntry {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: 'TCP' | 'UDP';
}

export interface ServiceEntry {
  readonly name: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly ports: readonly ServicePortEntry[];
  readonly vms: readonly string[];
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Names outside the cluster's own domain that callers use: an Istio ServiceEntry instead of a Service (istiod era). */
  readonly hosts?: readonly string[];
}

export interface Inventory {
  readonly version: 1;
  readonly clusters: readonly ClusterEntry[];
  readonly vms: readonly VmEntry[];
  readonly services: readonly ServiceEntry[];
}

/** Where a value came from: shown on hover and in the tooltip. `readAt` is an ISO 8601 time. */
export interface ValueSource {
  readonly value: string;
  readonly from:
    | { readonly kind: 'object'; readonly object: ObjectRef; readonly field: string }
    | { readonly kind: 'inventory'; readonly field: string }
    | { readonly kind: 'host'; readonly field: string }
    | { readonly kind: 'rule'; readonly facts: string };
  readonly readAt?: string;
}

/** What a person may see of a certificate or key: never its text. Times are ISO 8601. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  /** URI SANs, e.g. `spiffe://cluster.local/ns/vm/sa/default`. */
  readonly uris: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 fingerprint of the certificate, or of the public key for a private key. */
  readonly fingerprint: string;
  /** SHA-256 fingerprint of a certificate's public key: that of the private key which belongs to it. */
  readonly publicKey?: string;
}

export type FileContent =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** For each line (0-based), the sources of its values. */ readonly sources: readonly (readonly ValueSource[])[];
    }
  | { readonly kind: 'secret'; readonly secret: Secret; readonly facts: CertificateFacts | undefined }
  /** A secret that is made only when it is written: reading a document or a status mints nothing. `wanted`: the VM needs a new one. */
  | { readonly kind: 'minted'; readonly wanted: boolean; mint(options?: CallOptions): Promise<Secret> };

/** What a person may see of a token on a VM: never its text. Times are ISO 8601. */
export interface TokenFacts {
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly expiresAt: string;
}

export interface GeneratedFile {
  /** Absolute POSIX path on the VM. */
  readonly path: string;
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly content: FileContent;
  /** systemd units that read the file: restarted when it changes. */
  readonly readBy: readonly string[];
  /** sha256 of contents on the VM that are as good as this one: what the node agent made of the key and certificate it was given. Such a file is in sync and not pushed over. */
  readonly accepts?: readonly string[];
  /** Lines that are this project's in a file that is the machine's own: recorded there, so that a leave takes away just these. */
  readonly ownLines?: readonly string[];
  /** False where a saved edit makes no sense (keys, files with content computed from the host). */
  readonly editable: boolean;
}

export type LoadBalancerState = 'ready' | 'pending' | 'missing' | 'hostname';

export interface LoadBalancer {
  readonly ref: ObjectRef;
  /** What it is for, e.g. `dns`, `pilot`, `mixer`, `citadel`. */
  readonly role: string;
  readonly state: LoadBalancerState;
  /** Of a `hostname`: VMs reach it by that as well as by an address. */
  readonly byHostname?: boolean;
  readonly address?: string;
  readonly ports: readonly { readonly port: number; readonly protocol: string; readonly name?: string }[];
  /** ISO 8601 creation time; a pending balancer's age comes from it. */
  readonly createdAt?: string;
  /** Newest first: the cluster's events that explain a pending balancer. */
  readonly events: readonly { readonly reason: string; readonly text: string; readonly time: string }[];
}

/** A registered service as the cluster knows it. */
export interface RegisteredService {
  readonly ref: ObjectRef;
  readonly clusterIp?: string;
  readonly ports: readonly ServicePortEntry[];
  readonly endpoints: readonly {
    readonly address: string;
    readonly ports: readonly number[];
    /** VM of the inventory with that address. */ readonly vm?: string;
  }[];
}

/** Release and generation of Istio in a cluster. */
export interface ControlPlane {
  readonly era: EraId;
  readonly release: string;
  /** How the release was found, for the tooltip. */
  readonly source: ValueSource;
  /** What else was found, in the order in which it is shown: revision, trust domain, network, gateway... */
  readonly details?: readonly ControlPlaneDetail[];
  /** What of this cluster is not served, and what to do instead; joins are refused where `blocking`. */
  readonly limits?: readonly ControlPlaneLimit[];
}

export interface ControlPlaneDetail {
  readonly id: string;
  readonly label: Message;
  readonly value: string;
  readonly source?: ValueSource;
  /** Something is missing or wrong there. */
  readonly attention?: boolean;
}

export interface ControlPlaneLimit {
  readonly id: string;
  readonly text: Message;
  readonly nextStep?: Message;
  readonly blocking: boolean;
}

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly text: Message;
  readonly nextStep?: Message;
  /** A path of the inventory (`vms[0].address`) or of a generated file, with a 0-based line. */
  readonly at: { readonly path: string; readonly line?: number; readonly value?: string };
}

export type CheckVerdict = 'ok' | 'fail' | 'skipped';

export interface CheckResult {
  readonly id: string;
  /** Ready to paste into a shell on the VM. */
  readonly commandLine: string;
  readonly output: string;
  readonly verdict: CheckVerdict;
  /** What was found; for a failure also why, and what to do next. */
  readonly reason: Message;
  readonly why?: Message;
  readonly nextStep?: Message;
  readonly durationMs: number;
}

/** In order of urgency (ui.md). */
export type VmCondition = 'failed' | 'needs-person' | 'needs-push' | 'expiring' | 'pending' | 'in-sync' | 'not-joined';
