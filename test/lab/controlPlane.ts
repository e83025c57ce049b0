// The Istio of a lab: what the cluster shows of it, and the processes behind that. One place that knows both kinds.
import type { LabAddresses } from './addresses.ts';
import type { LabPaths } from './names.ts';
import { istioObjects } from './objects/istio.ts';
import type { IstioObjects } from './objects/apply.ts';
import type { BuildContext, ManagedProcess } from './process.ts';
import { podNetwork } from './network.ts';
import { stockEnvoy } from './realIstio/envoy.ts';
import { furnishGateway, GATEWAY_POD, gatewayProcess } from './realIstio/gateway.ts';
import { bootstrapFile } from './realIstio/packagingFiles.ts';
import type { StandinBinaries } from './standins/index.ts';
import { furnishIstiod, istiodProcess } from './realIstio/istiod.ts';
import { installedIstio } from './realIstio/manifest.ts';
import { SIDECAR_RELEASES, sidecarDeb, sidecarReleases } from './realIstio/sidecarPackage.ts';
import type { IstioKind } from './record.ts';
import { buildStandins, PACKAGE_RELEASES, RELEASES_PORT, releasesProcess, standinProcesses } from './standins/index.ts';
import type { ClusterBinaries, ProgramModule } from './toolchain/binaries.ts';
import { CLUSTER_MODULES } from './toolchain/binaries.ts';

/** Starts the process unless it runs already. */
export type Ensure = (wanted: ManagedProcess) => Promise<void>;

export interface ControlPlane {
  istio: IstioObjects;
  /** Starts its processes. `objects` resolves when the cluster has the objects. */
  start(ensure: Ensure, objects: Promise<void>): Promise<void>;
}

/** The programs that a lab of this kind needs; a lab with the stand-ins does not wait for Istio to be compiled. */
export function modulesOf(kind: IstioKind): readonly ProgramModule[] | undefined {
  return kind === 'citadel' ? CLUSTER_MODULES : undefined;
}

export interface LabPlace {
  name: string;
  paths: LabPaths;
  addresses: LabAddresses;
}

/** Builds what is missing of it and writes what its processes read. Throws CommandError when a program fails. */
export async function controlPlane(
  kind: IstioKind,
  lab: LabPlace,
  binaries: ClusterBinaries,
  context: BuildContext,
): Promise<ControlPlane> {
  const standins = await buildStandins(context);
  if (kind === 'istiod') return istiodPlane(lab, { binaries, standins }, context);
  const processes = standinProcesses({ kubeconfig: lab.paths.kubeconfig, addresses: lab.addresses }, standins);
  return {
    istio: istioObjects(lab.addresses),
    // In their order: Pilot's own certificate comes from Citadel.
    start: async (ensure) => {
      for (const wanted of processes) await ensure(wanted);
    },
  };
}

async function istiodPlane(
  { name, paths, addresses }: LabPlace,
  { binaries, standins }: { binaries: ClusterBinaries; standins: StandinBinaries },
  context: BuildContext,
): Promise<ControlPlane> {
  const { istioctl, kubectl, 'pilot-agent': pilotAgent } = binaries;
  const releases = await sidecarReleases(context, pilotAgent);
  const gateway = { kubectl, pilotAgent, envoy: await stockEnvoy(context), bootstrap: await bootstrapFile(context) };
  const { mesh, ...istio } = await installedIstio(istioctl, addresses);
  await furnishIstiod(paths, mesh);
  return {
    istio,
    start: async (ensure, objects) => {
      await ensure(releasesProcess(addresses, standins, releases));
      // istiod does not look again for kinds that were not there.
      await objects;
      await ensure(istiodProcess(paths, addresses, binaries['pilot-discovery']));
      await podNetwork(name, GATEWAY_POD, addresses.pods.eastwestgateway, addresses);
      await furnishGateway(paths, gateway);
      await ensure(gatewayProcess(paths, addresses, gateway));
    },
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
