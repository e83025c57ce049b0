// The Istio of a lab: what the cluster shows of it, and the processes behind that. One place that knows both kinds.
import type { LabAddresses } from './addresses.ts';
import type { LabPaths } from './names.ts';
import { istioObjects } from './objects/istio.ts';
import type { IstioObjects } from './objects/apply.ts';
import type { BuildContext, ManagedProcess } from './process.ts';
import { furnishIstiod, istiodProcess } from './realIstio/istiod.ts';
import { installedIstio } from './realIstio/manifest.ts';
import { SIDECAR_RELEASES, sidecarDeb, sidecarReleases } from './realIstio/sidecarPackage.ts';
import type { IstioKind } from './record.ts';
import { buildStandins, PACKAGE_RELEASES, RELEASES_PORT, releasesProcess, standinProcesses } from './standins/index.ts';
import type { ClusterBinaries, ProgramModule } from './toolchain/binaries.ts';
import { CLUSTER_MODULES } from './toolchain/binaries.ts';

export interface ControlPlane {
  istio: IstioObjects;
  /** To be started in this order: Pilot's own certificate comes from Citadel. */
  processes: readonly ManagedProcess[];
  /** Start them when the objects are there, and not beside: istiod does not wait for its kinds. */
  afterObjects: boolean;
}

/** The programs that a lab of this kind needs; a lab with the stand-ins does not wait for Istio to be compiled. */
export function modulesOf(kind: IstioKind): readonly ProgramModule[] | undefined {
  return kind === 'citadel' ? CLUSTER_MODULES : undefined;
}

/** Builds what is missing of it and writes what its processes read. Throws CommandError when a program fails. */
export async function controlPlane(
  kind: IstioKind,
  paths: LabPaths,
  addresses: LabAddresses,
  binaries: ClusterBinaries,
  context: BuildContext,
): Promise<ControlPlane> {
  const standins = await buildStandins(context);
  if (kind === 'citadel') {
    const processes = standinProcesses({ kubeconfig: paths.kubeconfig, addresses }, standins);
    return { istio: istioObjects(addresses), processes, afterObjects: false };
  }
  const releases = await sidecarReleases(context, binaries['pilot-agent']);
  const { mesh, ...istio } = await installedIstio(binaries.istioctl, addresses);
  await furnishIstiod(paths, mesh);
  return {
    istio,
    afterObjects: true,
    processes: [istiodProcess(paths, addresses, binaries['pilot-discovery']), releasesProcess(addresses, standins, releases)],
  };
}

export interface SidecarPackages {
  sidecarPackage: string;
  newerSidecarPackage: string;
  sidecarPackageUrl: string;
  newerSidecarPackageUrl: string;
}

/** The packages that fit a lab of this kind: where they lie on this machine, and where the lab's release site serves them. */
export async function sidecarPackages(
  kind: IstioKind,
  binaries: ClusterBinaries,
  { router }: LabAddresses,
  context: BuildContext,
): Promise<SidecarPackages> {
  const [releases, [current, newer]] =
    kind === 'citadel'
      ? [(await buildStandins(context)).releases, PACKAGE_RELEASES]
      : [await sidecarReleases(context, binaries['pilot-agent']), SIDECAR_RELEASES];
  const url = (release: string) => `http://${router}:${RELEASES_PORT}/${release}/deb/istio-sidecar.deb`;
  return {
    sidecarPackage: sidecarDeb(releases, current),
    newerSidecarPackage: sidecarDeb(releases, newer),
    sidecarPackageUrl: url(current),
    newerSidecarPackageUrl: url(newer),
  };
}
