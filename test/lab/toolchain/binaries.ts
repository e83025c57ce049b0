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
  /** Roughly, on two cores, in this order: what a person who waits wants to know. */
  takes: string;
}

const PROGRAMS = {
  'kube-apiserver': { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-apiserver', takes: 'about 4 min' },
  'kube-controller-manager': { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-controller-manager', takes: 'about 1 min' },
  'kube-proxy': { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-proxy', takes: 'about 15 s' },
  kubectl: { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kubectl', takes: 'about 30 s' },
  etcd: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', takes: 'about 20 s' },
  coredns: { module: 'coredns', package: 'github.com/coredns/coredns', takes: 'about 90 s' },
  'pilot-discovery': { module: 'istio', package: 'istio.io/istio/pilot/cmd/pilot-discovery', takes: 'about 3 min' },
  'pilot-agent': { module: 'istio', package: 'istio.io/istio/pilot/cmd/pilot-agent', takes: 'about 30 s' },
  istioctl: { module: 'istio', package: 'istio.io/istio/istioctl/cmd/istioctl', takes: 'about 1 min' },
} as const satisfies Readonly<Record<string, Program>>;

export type ClusterProgram = keyof typeof PROGRAMS;
/** Absolute path of each program. */
export type ClusterBinaries = Readonly<Record<ClusterProgram, string>>;

const PROGRAM_NAMES = Object.keys(PROGRAMS).filter((name): name is ClusterProgram => name in PROGRAMS);

/** What a lab runs whichever Istio it has. */
export const CLUSTER_MODULES: readonly ProgramModule[] = ['kubernetes', 'etcd', 'coredns'];

/**
 * The programs, those of these modules (default: all) built where missing. `KUBEBUILDER_ASSETS` is taken first for whatever it holds.
 * Throws when a build fails.
 */
export async function clusterBinaries(context: BuildContext, modules: readonly ProgramModule[] = MODULES): Promise<ClusterBinaries> {
  const home = path.join(context.cacheDirectory, 'lab', 'bin');
  const paths = new Map<ClusterProgram, string>();
  for (const name of PROGRAM_NAMES) paths.set(name, await locate(home, name));
  const wanted = new Map([...paths].filter(([name]) => modules.includes(PROGRAMS[name].module)));
  if (!(await allExecutable([...wanted.values()]))) {
    await withLock(path.join(home, 'build.lock'), 1800, () => build(context, home, wanted));
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
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(path.join(import.meta.dirname, module, file)));
  return hash
    .update(STAMPS[module] ?? '')
    .digest('hex')
    .slice(0, 12);
}

async function build(context: BuildContext, home: string, paths: ReadonlyMap<ClusterProgram, string>): Promise<void> {
  const go = await goTool(context, '1.26');
  const buildCache = path.join(home, 'go-build');
  const env = goEnvironment(buildCache);
  for (const [name, target] of paths) {
    if (await allExecutable([target])) continue;
    const { module, package: source, takes } = PROGRAMS[name];
    const started = Date.now();
    context.report(`building ${name}, ${takes}, once`);
    await mkdir(path.dirname(target), { recursive: true });
    // Built beside its place and renamed, so that a build that was cut never looks finished.
    const unfinished = `${target}.building`;
    await run([go, 'build', '-trimpath', '-ldflags', `-s -w ${STAMPS[module]}`, '-o', unfinished, source], {
      cwd: path.join(import.meta.dirname, module),
      env,
      timeout: 3_600_000,
      ...(context.signal ? { signal: context.signal } : {}),
    });
    await rename(unfinished, target);
    context.report(`built ${name} in ${Math.round((Date.now() - started) / 1000)} s`);
  }
  await rm(buildCache, { recursive: true, force: true });
  await dropOthers(home);
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
