import * as vscode from 'vscode';

const section = 'meshExpansion';

/** The extension's settings as they are now. */
export interface Settings {
  /** Kubeconfig files; empty: KUBECONFIG, else the default file. */
  readonly kubeconfig: readonly string[];
  /** Context of this machine by cluster name of the inventory. */
  readonly contexts: Readonly<Record<string, string>>;
  /** SSH configuration file; undefined: the user's. */
  readonly sshConfig: string | undefined;
  readonly timeouts: { readonly clusterMs: number; readonly hostMs: number; readonly addressesMs: number };
  readonly playground: boolean;
}

export function readSettings(): Settings {
  const values = vscode.workspace.getConfiguration(section);
  const seconds = (name: string, fallback: number) => Math.max(0, values.get<number>(`timeouts.${name}`, fallback)) * 1000;
  const sshConfig = values.get<string>('sshConfig', '').trim();
  return {
    kubeconfig: values
      .get<readonly string[]>('kubeconfig', [])
      .map((file) => file.trim())
      .filter((file) => file !== ''),
    contexts: values.get<Readonly<Record<string, string>>>('contexts', {}),
    sshConfig: sshConfig === '' ? undefined : sshConfig,
    timeouts: { clusterMs: seconds('cluster', 15), hostMs: seconds('host', 20), addressesMs: seconds('addresses', 600) },
    playground: values.get<boolean>('playground', false),
  };
}
