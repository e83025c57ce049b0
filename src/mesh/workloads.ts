import type { ObjectRef } from './ports.ts';

/** Workload groups and their entries, the istiod era's words for VMs (istiod facts 3.3 - 3.5); part of model.ts. */

/** Whether a workload is alive, as WorkloadGroup `spec.probe` (istiod facts 3.5). Times in seconds. */
export interface ReadinessProbe {
  readonly initialDelaySeconds?: number;
  readonly timeoutSeconds?: number;
  readonly periodSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
  readonly handler:
    | {
        readonly kind: 'httpGet';
        readonly port: number;
        readonly path?: string;
        readonly host?: string;
        readonly scheme?: 'HTTP' | 'HTTPS';
        readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
      }
    | { readonly kind: 'tcpSocket'; readonly port: number; readonly host?: string }
    | { readonly kind: 'exec'; readonly command: readonly string[] }
    | { readonly kind: 'grpc'; readonly port: number; readonly service?: string };
}

/** The template that VMs of one kind are made from (istiod facts 3.5). */
export interface WorkloadGroup {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Port numbers by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly network?: string;
  /** `region/zone/subzone`. */
  readonly locality?: string;
  readonly weight?: number;
  readonly probe?: ReadinessProbe;
}

/** What the cluster knows of a VM: `connected` where nothing probes it; `stale`: an old claim that the control plane will drop (istiod facts 3.4). */
export type Membership = 'never' | 'connected' | 'healthy' | 'unhealthy' | 'disconnected' | 'stale';

/** A VM as the cluster sees it. */
export interface WorkloadEntry {
  readonly ref: ObjectRef;
  readonly address?: string;
  readonly membership: Membership;
  /** ISO 8601 time since when. */
  readonly since?: string;
  /** ISO 8601 time from which the claim counts as stale unless it is renewed: nothing in the cluster changes at that moment. */
  readonly staleAt?: string;
  /** What the probe said: untrusted. */
  readonly reason?: string;
  /** The control plane made it and will delete it. */
  readonly automatic: boolean;
  /** VM of the inventory that it is of. */
  readonly vm?: string;
}

export interface WorkloadGroupFacts {
  readonly ref: ObjectRef;
  readonly group: WorkloadGroup;
  readonly entries: readonly WorkloadEntry[];
}
