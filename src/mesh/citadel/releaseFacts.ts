import type { ControlPlaneAuth } from '../model.ts';

/** What a release may do differently; `releases.ts` says which does what. Sources: citadel facts, the section named at each field. */

export type BalancerRole = 'pilot' | 'mixer' | 'citadel' | 'dns';

export interface BalancerFacts {
  readonly role: BalancerRole;
  readonly name: string;
  /** dns-ilb stands beside kube-dns, whatever the control plane's namespace is. */
  readonly namespace: 'control-plane' | 'kube-system';
  /** Selector and, as in the shipped file, the labels too. */
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: 'TCP' | 'UDP' }[];
  /** What the shipped file does not say and a reader wants to know; a comment of the manifest. */
  readonly comment: string;
}

export type ClusterEnvValue = 'service-cidr' | 'namespace' | 'auth';

export interface ReleaseFacts {
  /** First release the row holds for. */
  readonly release: string;
  /** The four load balancers (facts 3), in the order of the shipped file. */
  readonly balancers: readonly BalancerFacts[];
  /** Names that dnsmasq answers itself, each alone and then each with the control plane's namespace (facts 1.1). */
  readonly kubednsNames: readonly { readonly name: string; readonly role: BalancerRole }[];
  /** Lines of cluster.env in order (facts 1.2). */
  readonly clusterEnv: readonly { readonly variable: string; readonly value: ClusterEnvValue }[];
  /** Variable that the start script takes the control plane's authentication from, and its value where the variable is unset (facts 4). */
  readonly authRead: { readonly variable: string; readonly unset: ControlPlaneAuth } | undefined;
  /** Variable of sidecar.env that names the workload's namespace (facts 4: 0.2.9 ignored ISTIO_NAMESPACE). */
  readonly namespaceVariable: 'ISTIO_NAMESPACE' | 'POD_NAMESPACE';
  /** ISTIO_PILOT_PORT where it is unset (facts 4); undefined where nothing reads it. */
  readonly pilotPort: number | undefined;
  /** ISTIO_PILOT_PORT that must be written for an authentication, because the default does not fit it (facts 4). */
  readonly pilotPortFor: Readonly<Partial<Record<ControlPlaneAuth, number>>>;
  /** Pilot's port with mutual TLS where the start script does not choose it (facts 3); worth a finding. */
  readonly securePilotPort: number | undefined;
  /** How Pilot tells its endpoints over HTTP (facts 7, 10): asked for one key, or as a list of all. `port` is on the load balancer. */
  readonly registration: {
    readonly kind: 'key' | 'list';
    readonly port: number;
    readonly portName: string;
    /** The port asks for mutual TLS unless that is off. */ readonly secured: boolean;
  };
  /** The name that the node agent calls its certificate authority by (facts 4, CITADEL_ADDRESS; facts 6). */
  readonly caName: string;
  readonly mixerName: string;
  /** Ingress services that a release installs, the usual one first (facts 0). */
  readonly ingress: readonly string[];
  /** Debian packages (facts 2.3); several cannot be installed from one file. */
  readonly packages: readonly string[];
  /** What the package needs and dpkg does not bring (facts 2.3): a program, and the Debian package that has it. */
  readonly packageNeeds: readonly { readonly program: string; readonly package: string }[];
  /** Set where the package of this release does not work, with the reason's message id (facts 4). */
  readonly packageDefect: string | undefined;
  /** systemd units (facts 4), in the order they are started. */
  readonly units: { readonly nodeAgent: string; readonly sidecar: string };
  /** Takes the capture rules away (facts 4). */
  readonly captureClean: readonly string[];
  /** Rules of `ip6tables INPUT` that the start script leaves, as arguments after `-A INPUT` (facts 4). */
  readonly ipv6Rules: readonly (readonly string[])[];
  /** Port 22 is captured when it is listed in ISTIO_INBOUND_PORTS (facts 4: excluded always until 0.7, then only with `*`). */
  readonly capturesSshWhenListed: boolean;
}
