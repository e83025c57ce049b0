import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { labEnv, type Lab } from '../lab/env.ts';
import type { Place } from './journey.ts';
import type { WorkbenchOptions } from './workbench.ts';

interface Prepared {
  readonly place: Place;
  readonly options: WorkbenchOptions;
}

/** The playground: nothing but the setting. */
export function playgroundPlace(): Prepared {
  return {
    place: { cluster: 'playground', vm: 'playground-vm-1', packageText: 'istio-sidecar.deb' },
    options: { settings: { 'meshExpansion.playground': true } },
  };
}

/** The lab: its kubeconfig and SSH configuration by settings, a folder with an inventory that names its cluster. */
export async function labPlace(vm = 'vm-1'): Promise<Prepared & { readonly lab: Lab; readonly folder: string }> {
  const lab = await labEnv();
  const { folder, options } = labFolder(lab);
  const packageText = `http://${lab.addresses.router}:8000/1.0.3/deb/istio-sidecar.deb`;
  return { lab, folder, place: { cluster: lab.contexts.lab, vm, packageText }, options };
}

/** A folder with an inventory that names a lab's cluster, and the settings that lead to the lab. */
export function labFolder(lab: Lab): { readonly folder: string; readonly options: WorkbenchOptions } {
  const folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'mesh-journey-')), 'servers');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'mesh-expansion.yaml'), `version: 1\nclusters:\n  - context: ${lab.contexts.lab}\n`);
  const settings = { 'meshExpansion.kubeconfig': [lab.kubeconfig], 'meshExpansion.sshConfig': lab.sshConfig };
  return { folder, options: { folder, settings, env: { KUBECONFIG: lab.kubeconfig } } };
}
