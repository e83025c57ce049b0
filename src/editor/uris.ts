import * as vscode from 'vscode';
import { decodeName, encodeName } from '../mesh/encodedNames.ts';

/** Documents of generated files: `mesh-expansion:/<cluster>/<vm>/<path on the VM>`, cluster and VM encoded. */
export const generatedScheme = 'mesh-expansion';
/** What is on a VM now, for the left side of a diff: same paths. */
export const hostScheme = 'mesh-expansion-vm';
/** Texts made once: results of checks, diagnostics, objects. */
export const textScheme = 'mesh-expansion-text';

/** Stands where a VM's name would: `~` begins no VM's name, so nothing can be mistaken for it. */
const clusterPart = '~cluster';
const manifestPath = '/load-balancers.yaml';

export interface FileAddress {
  readonly cluster: string;
  readonly vm: string;
  /** Absolute path on the VM. */
  readonly path: string;
}

export function fileUri({ cluster, vm, path }: FileAddress, scheme = generatedScheme): vscode.Uri {
  return vscode.Uri.from({ scheme, path: `/${encodeName(cluster)}/${encodeName(vm)}${path}` });
}

/** The load balancers of a cluster as an editable document. */
export function manifestUri(cluster: string): vscode.Uri {
  return vscode.Uri.from({ scheme: generatedScheme, path: `/${encodeName(cluster)}/${clusterPart}${manifestPath}` });
}

export type Address = ({ readonly kind: 'file' } & FileAddress) | { readonly kind: 'manifest'; readonly cluster: string };

/** Undoes `fileUri` and `manifestUri`; undefined for any other URI. */
export function addressOf(uri: vscode.Uri): Address | undefined {
  if (uri.scheme !== generatedScheme && uri.scheme !== hostScheme) return undefined;
  const [, first = '', second = '', ...rest] = uri.path.split('/');
  const cluster = decodeName(first);
  const path = `/${rest.join('/')}`;
  if (cluster === undefined || path === '/') return undefined;
  if (second === clusterPart) return path === manifestPath ? { kind: 'manifest', cluster } : undefined;
  const vm = decodeName(second);
  return vm === undefined ? undefined : { kind: 'file', cluster, vm, path };
}
