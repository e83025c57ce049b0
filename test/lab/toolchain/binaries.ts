// The cluster's programs: built from their Go modules once, kept under the hash of what they were built from.
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { goEnvironment, goTool } from './go.ts';
import { withLock } from './lock.ts';
import { run } from './run.ts';

const KUBERNETES_VERSION = '1.34.1';
/** The release of the module's commit in istio/go.mod. */
export const ISTIOD_RELEASE = '1.31.0';
const [KUBERNETES_MAJOR, KUBERNETES_MINOR] = KUBERNETES_VERSION.split('.');
const STAMPS: Readonly<Record<string, string>> = {
  kubernetes: ['gitVersion=v' + KUBERNETES_VERSION, `gitMajor=${KUBERNETES_MAJOR}`, `gitMinor=${KUBERNETES_MINOR}`]
    .map((stamp) => `-X k8s.io/component-base/version.${stamp}`)
    .join(' '),
  etcd: '-X go.etcd.io/etcd/api/v3/version.GitSHA=module',
  coredns: '-X github.com/coredns/coredns/coremain.GitCommit=module',
  istio: ['buildVersion', 'buildTag'].map((stamp) => `-X istio.io/istio/pkg/version.${stamp}=${ISTIOD_RELEASE}`).join(' '),
};
const MODULES = ['kubernetes', 'etcd', 'coredns', 'istio'] as const;

export type ProgramModule = (typeof MODULES)[number];

interface Program {
  module: ProgramModule;
  package: string;
  /** What `go build` calls it, where that is another name. */
  output?: string;
}

const PROGRAMS = {
  'kube-apiserver': { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  'kube-proxy': { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-proxy' },
  kubectl: { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kubectl' },
  etcd: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', output: 'server' },
  coredns: { module: 'coredns', package: 'lab/coredns' },
  'pilot-discovery': { module: 'istio', package: 'istio.io/istio/pilot/cmd/pilot-discovery' },
  'pilot-agent': { module: 'istio', package: 'istio.io/istio/pilot/cmd/pilot-agent' },
  istioctl: { module: 'istio', package: 'istio.io/istio/istioctl/cmd/istioctl' },
} as const satisfies Readonly<Record<string, Program>>;

/** Roughly, on two cores, in this order: what a person who waits wants to know. */
const TAKES: Readonly<Record<ProgramModule, string>> = {
  kubernetes: 'about 6 min',
  etcd: 'about 20 s',
  coredns: 'about 1 min',
  istio: 'about 6 min',
};

export type ClusterProgram = keyof typeof PROGRAMS;
/** Absolute path of each program. */
export type ClusterBinaries = Readonly<Record<ClusterProgram, string>>;

const PROGRAM_NAMES = Object.keys(PROGRAMS).filter((name): name is ClusterProgram => name in PROGRAMS);

/** What a lab runs whichever Istio it has. */
export const CLUSTER_MODULES: readonly ProgramModule[] = ['kubernetes', 'etcd', 'coredns'];

/**
 * The programs, those of these modules (default: all) built where missing. `KUBEBUILDER_ASSETS` is taken first for whatever it holds.
 * `beside` is called where something was built, with Go's build cache before it goes: what is made of the same packages costs seconds then.
 * Throws when a build fails.
 */
export async function clusterBinaries(
  context: BuildContext,
  modules: readonly ProgramModule[] = MODULES,
  beside?: (buildCache: string) => Promise<unknown>,
): Promise<ClusterBinaries> {
  const home = path.join(context.cacheDirectory, 'lab', 'bin');
  const paths = new Map<ClusterProgram, string>();
  for (const name of PROGRAM_NAMES) paths.set(name, await locate(home, name));
  const wanted = new Map([...paths].filter(([name]) => modules.includes(PROGRAMS[name].module)));
  if (!(await allExecutable([...wanted.values()]))) {
    await withLock(path.join(home, 'build.lock'), 1800, async () => {
      const buildCache = path.join(home, 'go-build');
      await build(context, buildCache, wanted);
      await beside?.(buildCache);
      await rm(buildCache, { recursive: true, force: true });
      await dropOthers(home);
    });
  }
  return Object.fromEntries(paths) as Record<ClusterProgram, string>;
}

async function locate(home: string, name: ClusterProgram): Promise<string> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets) {
    const given = path.join(path.resolve(assets), name);
    if (await allExecutable([given])) return given;
  }
  const module = PROGRAMS[name].module;
  return path.join(home, `${module}-${await moduleKey(module)}`, name);
}

async function moduleKey(module: ProgramModule): Promise<string> {
  const hash = createHash('sha256');
  const directory = path.join(import.meta.dirname, module);
  for (const file of (await readdir(directory)).sort()) hash.update(await readFile(path.join(directory, file)));
  return hash
    .update(STAMPS[module] ?? '')
    .digest('hex')
    .slice(0, 12);
}

async function build(context: BuildContext, buildCache: string, paths: ReadonlyMap<ClusterProgram, string>): Promise<void> {
  const go = await goTool(context, '1.26');
  for (const module of MODULES) {
    const missing: { program: Program; target: string }[] = [];
    for (const [name, target] of paths) {
      const program = PROGRAMS[name];
      if (program.module === module && !(await allExecutable([target]))) missing.push({ program, target });
    }
    const [first] = missing;
    if (first === undefined) continue;
    const started = Date.now();
    const names = missing.map(({ target }) => path.basename(target)).join(', ');
    context.report(`building ${names}: ${TAKES[module]}, once`);
    // Built beside its place and renamed, so that a build that was cut never looks finished. All of a module at once: one is linked while others compile.
    const place = path.dirname(first.target);
    const unfinished = `${place}.building`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await mkdir(place, { recursive: true });
    const packages = missing.map(({ program }) => program.package);
    await run([go, 'build', '-trimpath', '-ldflags', `-s -w ${STAMPS[module]}`, '-o', `${unfinished}/`, ...packages], {
      cwd: path.join(import.meta.dirname, module),
      env: goEnvironment(buildCache),
      timeout: 3_600_000,
      ...(context.signal ? { signal: context.signal } : {}),
    });
    for (const { program, target } of missing) await rename(path.join(unfinished, program.output ?? path.basename(target)), target);
    await rm(unfinished, { recursive: true });
    context.report(`built ${names} in ${Math.round((Date.now() - started) / 1000)} s`);
  }
}

// Binaries of earlier go.mod files are of no use to anyone.
async function dropOthers(home: string): Promise<void> {
  const current = new Set(await Promise.all(MODULES.map(async (module) => `${module}-${await moduleKey(module)}`)));
  for (const name of await readdir(home)) {
    if (new RegExp(`^(${MODULES.join('|')})-`).test(name) && !current.has(name))
      await rm(path.join(home, name), { recursive: true, force: true });
  }
}

async function allExecutable(files: readonly string[]): Promise<boolean> {
  const checks = await Promise.all(
    files.map((file) =>
      access(file, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return checks.every(Boolean);
}
