import type { JoinOptions } from '../mesh.ts';
import { message } from '../messages.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostState, PackageFile, PackageSource } from '../ports.ts';
import { problem } from '../problem.ts';
import { installedVersion, isInstalled } from './hostState.ts';
import { stopSidecar, tidy, type HostWork } from './hostWork.ts';
import { purge } from './purge.ts';

/** The sidecar's package, installed over the connection to the machine. */

const badPackage = { kind: 'bad-input', field: 'package' } as const;

/**
 * Decides about the package before anything runs; undefined where the installed one stays. Throws `package.missing` (not installed, none given),
 * `package.several` (a release of several packages), `package.defect` (installed or given one that does not work), `package.other`, `package.format`,
 * `package.architecture`.
 */
export async function choosePackage(
  work: HostWork,
  state: HostState,
  join: JoinOptions,
  options?: CallOptions,
): Promise<PackageFile | undefined> {
  const { packages } = work.sidecar;
  const missing = packages.filter((name) => !isInstalled(state, name));
  if (packages.length > 1 && missing.length > 0)
    throw problem('package.several', {
      release: work.scope.controlPlane.release,
      packages: packages.join(', '),
      missing: missing.join(', '),
    });
  if (packages.length > 1) return undefined;
  if (join.package !== undefined) return fetchPackage(work, state, join.package, options);
  if (missing.length > 0)
    throw problem(
      'package.missing',
      { name: missing.join(', '), host: work.scope.vm.host },
      { ...badPackage, next: work.sidecar.packageHint },
    );
  const [name = ''] = packages;
  refuseDefect(work, name, installedVersion(state, name) ?? '');
  return undefined;
}

/** For an upgrade, which needs one named: throws `package.missing` where none is. */
export async function namedPackage(
  work: HostWork,
  state: HostState,
  join: JoinOptions,
  options?: CallOptions,
): Promise<PackageFile | undefined> {
  if (join.package === undefined) {
    const args = { name: work.sidecar.packages.join(', '), host: work.scope.vm.host };
    throw problem('package.missing', args, { ...badPackage, id: 'package.none', next: work.sidecar.packageHint });
  }
  return choosePackage(work, state, join, options);
}

/** Fetches and examines a package. */
async function fetchPackage(work: HostWork, state: HostState, source: PackageSource, options?: CallOptions): Promise<PackageFile> {
  const file = await work.scope.ports.packages.fetch(source, options);
  const [expected = ''] = work.sidecar.packages;
  const { architecture, packages: format = 'deb' } = state.facts?.os ?? { architecture: undefined };
  if (file.name !== expected) throw problem('package.other', { name: file.name, expected, source: file.source }, badPackage);
  if (state.facts !== undefined && (file.format ?? 'deb') !== format)
    throw problem('package.format', { name: file.name, found: file.format ?? 'deb', wanted: format }, badPackage);
  if (architecture !== undefined && !['all', 'noarch', architecture].includes(file.architecture))
    throw problem('package.architecture', { name: file.name, found: file.architecture, wanted: architecture }, badPackage);
  refuseDefect(work, file.name, file.version);
  return file;
}

function refuseDefect({ sidecar }: HostWork, name: string, version: string): void {
  const id = sidecar.packageDefect?.(version);
  if (id !== undefined) throw problem('package.defect', { name, version }, { ...badPackage, id });
}

export function packageStep(work: HostWork, file: PackageFile | undefined, notes: readonly StepDetail[] = []): Step {
  let before: string | undefined;
  return {
    id: 'package',
    title: message('package.title'),
    target: work.host.alias,
    async preview(options) {
      if (file === undefined || installedVersion(await work.view.read(options), file.name) === file.version)
        return { needed: false, details: notes };
      const { name, version, source, sha256 } = file;
      return {
        needed: true,
        details: [
          { kind: 'note', text: message('package.from', { name, version, source, sha256 }) },
          ...(file.unverified === true ? [{ kind: 'note', text: message('package.unverified', { source }) } as const] : []),
          { kind: 'command', commandLine: installCommand(file) },
          ...notes,
        ],
      };
    },
    async run(options) {
      if (file === undefined) return;
      before = installedVersion(await work.view.read(options), file.name);
      await work.view.change(() => work.host.installPackage(file, work.sidecar.creates, { ...options, owner: work.owner }));
      for (const unit of work.sidecar.units) work.restarts.add(unit);
    },
    async undo(options) {
      // An older version that stood there is not at hand any more; it was replaced, not added.
      if (before !== undefined) return;
      await stopSidecar(work, options);
      await work.view.change(() => purge(work.host, work.sidecar.packages, options));
      await tidy(work, options);
    },
  };
}

function installCommand({ name, version, architecture, format }: PackageFile): string {
  return format === 'rpm' ? `rpm -U ${name}-${version}.${architecture}.rpm` : `dpkg -i ${name}_${version}_${architecture}.deb`;
}
