import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
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
export async function labPlace(
  vm = 'vm-1',
): Promise<Prepared & { readonly lab: Lab; readonly folder: string; readonly inventory: InventoryText }> {
  const lab = await labEnv();
  const { folder, inventory, options } = labFolder(lab);
  const packageText = `http://${lab.addresses.router}:8000/1.0.3/deb/istio-sidecar.deb`;
  return { lab, folder, inventory, place: { cluster: lab.contexts.lab, vm, packageText }, options };
}

/** The inventory of a folder, as a text. */
export class InventoryText {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = path.join(folder, 'mesh-expansion.yaml');
  }

  read(): string {
    return readFileSync(this.#file, 'utf8');
  }

  write(text: string): void {
    writeFileSync(this.#file, text);
  }
}

/** A folder with an inventory that names a lab's cluster, and the settings that lead to the lab. */
export function labFolder(lab: Lab): { readonly folder: string; readonly inventory: InventoryText; readonly options: WorkbenchOptions } {
  const folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'mesh-journey-')), 'servers');
  mkdirSync(folder);
  const inventory = new InventoryText(folder);
  inventory.write(`version: 1\nclusters:\n  - context: ${lab.contexts.lab}\n`);
  const settings = { 'meshExpansion.kubeconfig': [lab.kubeconfig], 'meshExpansion.sshConfig': lab.sshConfig };
  return { folder, inventory, options: { folder, settings, env: { KUBECONFIG: lab.kubeconfig } } };
}
