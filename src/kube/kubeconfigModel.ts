import type { JsonRecord } from './json.ts';

export interface ClusterConfig {
  readonly name: string;
  readonly server: string;
  /** Base64 of PEM. */
  readonly caData?: string;
  readonly caFile?: string;
  readonly skipTlsVerify: boolean;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
}

export interface ExecConfig {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly apiVersion: string;
  readonly installHint?: string;
  readonly provideClusterInfo: boolean;
}

export interface UserConfig {
  readonly name: string;
  readonly certData?: string;
  readonly certFile?: string;
  readonly keyData?: string;
  readonly keyFile?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecConfig;
  /** As client-node's own auth providers read it (OIDC, Azure, GCP). */
  readonly authProvider?: JsonRecord;
  readonly impersonate?: {
    readonly user: string;
    readonly groups: readonly string[];
    readonly uid?: string;
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
}

export interface ContextConfig {
  readonly name: string;
  readonly cluster: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** All kubeconfig files merged as kubectl does: the first file that names an entry, or sets current-context, wins. File names in it are absolute. */
export interface Kubeconfig {
  readonly files: readonly { readonly path: string; readonly exists: boolean }[];
  readonly currentContext?: string;
  readonly clusters: ReadonlyMap<string, ClusterConfig>;
  readonly users: ReadonlyMap<string, UserConfig>;
  readonly contexts: ReadonlyMap<string, ContextConfig>;
}
