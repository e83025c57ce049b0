import type * as vscode from 'vscode';
import type { VmCondition } from '../mesh/model.ts';
import type { App } from './app.ts';
import { fileUri } from './uris.ts';

/** What other extensions may use: `vscode.extensions.getExtension('mesh-expansion.mesh-expansion')?.exports`. */
export interface MeshExpansionApi {
  readonly version: 1;
  /** The inventory file of this window, whether or not it exists yet. */
  inventoryUri(): vscode.Uri;
  /** URI of a generated file's document; reading it contacts nothing. */
  generatedFileUri(cluster: string, vm: string, path: string): vscode.Uri;
  /** Last known state of a VM; undefined where it was not read in this window. Contacts nothing. */
  vmCondition(vm: string): VmCondition | undefined;
  /** What is known of clusters or VMs changed. */
  readonly onDidChange: vscode.Event<void>;
}

export function createPublicApi({ session, facts }: App): MeshExpansionApi {
  return {
    version: 1,
    inventoryUri: () => session.file.uri(),
    generatedFileUri: (cluster, vm, path) => fileUri({ cluster, vm, path }),
    vmCondition: (vm) => facts.vm(vm).value?.condition,
    onDidChange: facts.onDidChange,
  };
}
