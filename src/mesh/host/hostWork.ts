import type { VmScope } from '../era.ts';
import type { GeneratedFile } from '../model.ts';
import type { CallOptions, HostManifest, HostState, VmHost } from '../ports.ts';
import { cleanCapture, stopChange } from './capture.ts';
import { HostView } from './hostView.ts';
import type { Sidecar } from './sidecar.ts';

/** What the steps of a plan on one VM share. */
export interface HostWork {
  readonly scope: VmScope;
  readonly sidecar: Sidecar;
  readonly host: VmHost;
  readonly view: HostView;
  readonly owner: HostManifest['owner'];
  /** The manifest as it was when the plan was made; undefined: the machine was not joined. */
  readonly manifest: HostManifest | undefined;
  /** Units whose files or package this run has changed and that are not restarted yet. */
  readonly restarts: Set<string>;
}

/** Looks at the VM once. */
export async function hostWork(
  scope: VmScope,
  sidecar: Sidecar,
  host: VmHost,
  files: readonly GeneratedFile[],
  options?: CallOptions,
): Promise<{ readonly work: HostWork; readonly state: HostState }> {
  const view = new HostView(host, sidecar.probe(files));
  const state = await view.read(options);
  const owner = { vm: scope.vm.name, cluster: scope.entry.name, era: sidecar.era, release: scope.controlPlane.release };
  return { work: { scope, sidecar, host, view, owner, manifest: state.manifest, restarts: new Set() }, state };
}

/** Before the package goes: the units stopped for good, their rules out of the kernel. */
export async function stopSidecar(work: HostWork, options?: CallOptions): Promise<void> {
  const state = await work.view.read(options);
  const change = stopChange(work.sidecar, state);
  if ((change.stop ?? change.disable) !== undefined)
    await work.view.change(() => work.host.setUnits(change, { ...options, owner: work.owner }));
  await cleanCapture(work, state, options);
}

/** After an undo: when nothing of a join is left on a machine that was not joined before, what was made beyond files and packages goes too, and the manifest with it. */
export async function tidy(work: HostWork, options?: CallOptions): Promise<void> {
  const { manifest } = await work.view.read(options);
  // One that an earlier run left which was cancelled holds no more than the directories and accounts that it made.
  if (manifest === undefined || !holdsNothing(manifest) || !holdsNothing(work.manifest)) return;
  await work.view.change(() => work.host.removeCreated(options));
}

function holdsNothing(manifest: HostManifest | undefined): boolean {
  return manifest === undefined || (manifest.files.length === 0 && manifest.packages.length === 0);
}
