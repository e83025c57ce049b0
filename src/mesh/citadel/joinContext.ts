import type { VmScope } from '../era.ts';
import type { GeneratedFile } from '../model.ts';
import type { CallOptions, HostManifest, ProbeRequest, VmHost } from '../ports.ts';
import { cleanCapture, cleanerPaths, stopChange } from './capture.ts';
import { CERT_CHAIN } from './certificates.ts';
import { DNSMASQ } from './dnsmasq.ts';
import { hostInputs } from './generate.ts';
import { unitNames } from './hostState.ts';
import { HostView } from './hostView.ts';
import { factsOf } from './problems.ts';
import type { ReleaseFacts } from './releases.ts';
import { RESOLVED } from './resolver.ts';

/** What the steps of a plan on one VM share. */
export interface HostWork {
  readonly scope: VmScope;
  readonly facts: ReleaseFacts;
  readonly host: VmHost;
  readonly view: HostView;
  readonly owner: HostManifest['owner'];
  /** The machine had no manifest when the plan was made. */
  readonly fresh: boolean;
  /** Units whose files or package this run has changed and that are not restarted yet. */
  readonly restarts: Set<string>;
}

/** Looks at the VM once. */
export async function hostWork(scope: VmScope, host: VmHost, files: readonly GeneratedFile[], options?: CallOptions): Promise<HostWork> {
  const facts = factsOf(scope);
  const view = new HostView(host, wholeProbe(facts, files));
  const fresh = (await view.read(options)).manifest === undefined;
  return {
    scope,
    facts,
    host,
    view,
    fresh,
    owner: { vm: scope.vm.name, cluster: scope.entry.name, era: 'citadel', release: scope.controlPlane.release },
    restarts: new Set(),
  };
}

/** Tools that names and checks need on the VM, with the Debian package of each (citadel facts 2). */
export const tools: readonly { readonly program: string; readonly package: string }[] = [
  { program: 'dnsmasq', package: 'dnsmasq' },
  { program: 'host', package: 'bind9-host' },
  { program: 'curl', package: 'curl' },
];

/** Everything that the steps and the status of a VM rest on, in one request. */
export function wholeProbe(facts: ReleaseFacts, files: readonly GeneratedFile[]): ProbeRequest {
  const inputs = hostInputs();
  const asked = inputs.files ?? [];
  const more = files
    .filter(({ path }) => !asked.some((one) => one.path === path))
    .map(({ path, content }) => ({ path, want: content.kind === 'secret' && path === CERT_CHAIN ? 'certificate' : 'hash' }) as const);
  const needs = [...tools, ...facts.packageNeeds];
  return {
    ...inputs,
    files: [...asked, ...more, ...cleanerPaths(facts).map((path) => ({ path, want: 'hash' }) as const)],
    units: [...unitNames(facts), DNSMASQ, RESOLVED],
    packages: [...facts.packages, ...needs.map((need) => need.package)],
    programs: needs.map(({ program }) => program),
  };
}

/** Before the package goes: both units stopped for good, their rules out of the kernel. */
export async function stopSidecar(work: HostWork, options?: CallOptions): Promise<void> {
  const state = await work.view.read(options);
  const change = stopChange(work.facts, state);
  if ((change.stop ?? change.disable) !== undefined)
    await work.view.change(() => work.host.setUnits(change, { ...options, owner: work.owner }));
  await cleanCapture(work.host, work.facts, state, options);
}

/** After an undo: when nothing of the join is left on a machine that had no manifest, what it made beyond files and packages goes too, and the manifest with it. */
export async function tidy(work: HostWork, options?: CallOptions): Promise<void> {
  const { manifest } = await work.view.read(options);
  if (!work.fresh || manifest === undefined || manifest.files.length > 0 || manifest.packages.length > 0) return;
  await work.view.change(() => work.host.removeCreated(options));
}
