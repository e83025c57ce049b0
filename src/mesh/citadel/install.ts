import type { JoinOptions } from '../mesh.ts';
import { message } from '../messages.ts';
import type { Step } from '../plan.ts';
import type { CallOptions, HostManifest, HostState, PackageFile, PackageSource } from '../ports.ts';
import { isInstalled, unitNames, unitOf } from './hostState.ts';
import { stopSidecar, tidy, tools, type HostWork } from './joinContext.ts';
import { problem } from './problems.ts';
import { purge } from './purge.ts';
import { releaseFacts } from './releases.ts';
import { DNSMASQ } from './dnsmasq.ts';

/** Installing what the machine lacks: tools from its own repositories, the sidecar's package over this connection. */

/** What the package's postinst makes beyond its files (citadel facts 4); leave takes away what was not there before. */
export const packageCreates: HostManifest['created'] = {
  paths: ['/etc/istio', '/var/lib/istio', '/var/log/istio', '/etc/certs'],
  users: ['istio-proxy'],
  groups: ['istio-proxy'],
};

/** Packages of the tools that the machine has neither as a program nor as a package. */
function missingTools(work: HostWork, state: HostState): readonly string[] {
  const needs = [...tools, ...work.facts.packageNeeds];
  // dnsmasq-base alone has the program, but no unit.
  const has = (need: { readonly program: string; readonly package: string }): boolean =>
    isInstalled(state, need.package) ||
    (need.program === DNSMASQ ? unitOf(state, DNSMASQ)?.load === 'loaded' : state.programs[need.program] === true);
  return needs.filter((need) => !has(need)).map((need) => need.package);
}

export function toolsStep(work: HostWork): Step {
  let installed: readonly string[] = [];
  return {
    id: 'tools',
    title: message('citadel.tools.title'),
    target: work.host.alias,
    async preview(options) {
      const names = missingTools(work, await work.view.read(options));
      return {
        needed: names.length > 0,
        details:
          names.length === 0 ? [] : [{ kind: 'command', commandLine: `apt-get install -y --no-install-recommends ${names.join(' ')}` }],
      };
    },
    async run(options) {
      installed = missingTools(work, await work.view.read(options));
      await work.view.change(() => work.host.installTools(installed, { ...options, owner: work.owner }));
    },
    async undo(options) {
      await work.view.change(() => purge(work.host, installed, options));
      await tidy(work, options);
    },
  };
}

/** The package that a join installs, fetched once; undefined where the installed one stays. */
export type WantedPackage = (options?: CallOptions) => Promise<PackageFile | undefined>;

/**
 * Decides about the package before anything runs. Throws `citadel.package.missing` (not installed, none given), `citadel.package.several` (a release of three
 * packages), `citadel.package.defect` (installed or given one that does not work), `citadel.package.other`, `citadel.package.architecture`.
 */
export async function choosePackage(work: HostWork, state: HostState, join: JoinOptions, options?: CallOptions): Promise<WantedPackage> {
  const { packages } = work.facts;
  const missing = packages.filter((name) => !isInstalled(state, name));
  if (packages.length > 1 && missing.length > 0)
    throw problem('citadel.package.several', {
      release: work.scope.controlPlane.release,
      packages: packages.join(', '),
      missing: missing.join(', '),
    });
  if (packages.length > 1) return async () => undefined;
  const source = join.package;
  if (source === undefined) {
    if (missing.length > 0)
      throw problem(
        'citadel.package.missing',
        { name: missing.join(', '), host: work.scope.vm.host },
        { kind: 'bad-input', field: 'package' },
      );
    const version = installedVersion(state, packages[0] ?? '');
    if (version !== undefined) refuseDefect(packages[0] ?? '', version);
    return async () => undefined;
  }
  const file = await fetchPackage(work, state, source, options);
  return async () => file;
}

async function fetchPackage(work: HostWork, state: HostState, source: PackageSource, options?: CallOptions): Promise<PackageFile> {
  const file = await work.scope.ports.packages.fetch(source, options);
  const expected = work.facts.packages[0] ?? '';
  const architecture = state.facts?.os.architecture;
  if (file.name !== expected)
    throw problem('citadel.package.other', { name: file.name, expected, source: file.source }, { kind: 'bad-input', field: 'package' });
  if (architecture !== undefined && file.architecture !== 'all' && file.architecture !== architecture) {
    throw problem(
      'citadel.package.architecture',
      { name: file.name, found: file.architecture, wanted: architecture },
      { kind: 'bad-input', field: 'package' },
    );
  }
  refuseDefect(file.name, file.version);
  return file;
}

function refuseDefect(name: string, version: string): void {
  const defect = packageDefect(version);
  if (defect !== undefined) throw problem('citadel.package.defect', { name, version }, { id: defect, kind: 'bad-input', field: 'package' });
}

/** Message id of what is wrong with a version of the package; undefined where nothing is known. */
export function packageDefect(version: string): string | undefined {
  return releaseFacts(version)?.packageDefect;
}

export function installedVersion(state: HostState, name: string): string | undefined {
  return isInstalled(state, name) ? state.packages.find((one) => one.name === name)?.version : undefined;
}

export function packageStep(work: HostWork, wanted: WantedPackage): Step {
  let before: string | undefined;
  return {
    id: 'package',
    title: message('citadel.package.title'),
    target: work.host.alias,
    async preview(options) {
      const file = await wanted(options);
      const state = await work.view.read(options);
      if (file === undefined) return { needed: false, details: [] };
      const present = installedVersion(state, file.name);
      const details = [
        {
          kind: 'note',
          text: message('citadel.package.from', { name: file.name, version: file.version, source: file.source, sha256: file.sha256 }),
        },
        { kind: 'command', commandLine: `dpkg -i ${file.name}_${file.version}_${file.architecture}.deb` },
      ] as const;
      return { needed: present !== file.version, details: present === file.version ? [] : details };
    },
    async run(options) {
      const file = await wanted(options);
      if (file === undefined) return;
      before = installedVersion(await work.view.read(options), file.name);
      await work.view.change(() => work.host.installPackage(file, packageCreates, { ...options, owner: work.owner }));
      for (const unit of unitNames(work.facts)) work.restarts.add(unit);
    },
    async undo(options) {
      // An older version that stood there is not at hand any more; it was replaced, not added.
      if (before !== undefined) return;
      await stopSidecar(work, options);
      await work.view.change(() => purge(work.host, work.facts.packages, options));
      await tidy(work, options);
    },
  };
}
