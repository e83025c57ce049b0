// Brings a lab up, or what is missing of one: network, cluster, machines. Whatever already runs as wanted is left alone.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { allocatorProgram } from './allocator/program.ts';
import type { LabAddresses } from './addresses.ts';
import { API_PORT, labAddresses, OLD_API_PORT } from './addresses.ts';
import { endOrphans } from './cgroups.ts';
import type { ControlPlane } from './controlPlane.ts';
import { controlPlane, modulesOf } from './controlPlane.ts';
import { apiProcesses, routingProcesses, writeClusterConfig } from './cluster.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { MachinePlace } from './machines.ts';
import { ensureMachine, machinePlaces, waitMachine } from './machines.ts';
import type { LabPaths } from './names.ts';
import { BRIDGE, labLock, labPaths } from './names.ts';
import { clusterNetwork } from './network.ts';
import { applyObjects } from './objects/apply.ts';
import { makePki } from './pki.ts';
import { requireRoot } from './privilege.ts';
import type { BuildContext, ManagedProcess } from './process.ts';
import { ensureProcess } from './processes.ts';
import type { IstioKind } from './record.ts';
import { claimRecord } from './record.ts';
import { makeSshKey, writeSshConfig } from './ssh.ts';
import { buildStandins } from './standins/index.ts';
import { aptInstall } from './toolchain/apt.ts';
import type { ClusterBinaries } from './toolchain/binaries.ts';
import { clusterBinaries } from './toolchain/binaries.ts';
import { withLock } from './toolchain/lock.ts';
import { machineRoot } from './toolchain/machineRoot.ts';

const HOST_PACKAGES = [
  'systemd-container',
  'iproute2',
  'openssh-client',
  'zstd',
  'nftables',
  'openssl',
  'bind9-host',
  'curl',
  'util-linux',
  'procps',
];

const WATCHERS = 1024;

/**
 * Brings the lab up with at least this many machines; `istio` chooses the Istio of a new lab (default citadel).
 * Throws an Error that says what failed; another `up` continues from there, `down` removes what there is. RangeError for a lab that has another Istio.
 */
export async function up(lab: string, machines: number, context: BuildContext, istio?: IstioKind): Promise<void> {
  requireRoot();
  const started = Date.now();
  await withLock(labLock(lab), 900, async () => {
    await endOrphans(lab);
    await aptInstall(context, HOST_PACKAGES);
    await allowWatchers();
    const record = await claimRecord(lab, machines, istio);
    const [baseRoot, allocator, binaries] = await Promise.all([
      machineRoot(context),
      allocatorProgram(context),
      clusterBinaries(context, modulesOf(record.istio), (buildCache) => buildStandins(context, buildCache)),
    ]);
    const addresses = labAddresses(record.index);
    const paths = labPaths(lab);
    const places = machinePlaces(addresses, record.machines);
    context.report(`lab ${lab}: ${addresses.subnet}, ${places.length} machine(s)`);
    const [plane] = await Promise.all([
      controlPlane(record.istio, { name: lab, paths, addresses }, binaries, context),
      clusterNetwork(lab, addresses),
      makePki(paths.pki, addresses),
      makeSshKey(paths),
      writeClusterConfig(paths, addresses, places),
    ]);
    await writeKubeconfig(paths.kubeconfig, paths.pki, addresses);
    await Promise.all([
      upCluster(lab, paths, addresses, { binaries, plane, allocator }, context),
      upMachines(lab, paths, addresses, places, baseRoot, context),
    ]);
  });
  context.report(`lab ${lab} is up after ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Every systemd and kube-proxy takes a few of the kernel's file watchers, which all labs share; Debian allows 128, enough for about two labs. */
async function allowWatchers(): Promise<void> {
  const limit = '/proc/sys/fs/inotify/max_user_instances';
  if (Number(await readFile(limit, 'utf8')) < WATCHERS) await writeFile(limit, String(WATCHERS));
}

interface Programs {
  binaries: ClusterBinaries;
  plane: ControlPlane;
  /** The load-balancer allocator's file. */
  allocator: string;
}

async function upCluster(
  lab: string,
  paths: LabPaths,
  addresses: LabAddresses,
  { binaries, plane, allocator }: Programs,
  context: BuildContext,
): Promise<void> {
  const ensure = async (wanted: ManagedProcess) => {
    if (await ensureProcess(lab, wanted)) context.report(`started ${wanted.name}`);
  };
  for (const wanted of apiProcesses(paths, addresses, binaries)) await ensure(wanted);
  const objects = applyObjects(binaries.kubectl, paths.kubeconfig, addresses, plane.istio);
  const others = [...routingProcesses(paths, addresses, binaries), ...ownStandins(paths, addresses, allocator)];
  await Promise.all([
    objects.then(() => context.report('cluster objects are in place')),
    plane.start(ensure, objects),
    ...others.map(ensure),
  ]);
}

// The lab's own stand-ins; see the header of each.
function ownStandins(paths: LabPaths, addresses: LabAddresses, allocator: string): ManagedProcess[] {
  const script = (file: string) => path.join(import.meta.dirname, file);
  const old = `${addresses.apiServer}:${OLD_API_PORT}`;
  return [
    {
      name: 'load-balancer-allocator',
      netns: 'cluster',
      argv: [
        process.execPath,
        allocator,
        '--kubeconfig',
        paths.kubeconfig,
        '--bridge',
        BRIDGE,
        '--internal',
        addresses.internalRange,
        '--public',
        addresses.publicRange,
      ],
    },
    {
      name: 'old-api-server',
      netns: 'cluster',
      argv: [process.execPath, script('oldApiServer.ts'), old, `${addresses.apiServer}:${API_PORT}`, paths.pki],
      ready: { tcp: old },
    },
    {
      name: 'productpage',
      netns: 'cluster',
      argv: [process.execPath, script('pods/productpage.ts'), addresses.pods.productpage],
      address: addresses.pods.productpage,
      ready: { url: `http://${addresses.pods.productpage}:9080/health` },
    },
  ];
}

async function upMachines(
  lab: string,
  paths: LabPaths,
  addresses: LabAddresses,
  places: readonly MachinePlace[],
  baseRoot: string,
  context: BuildContext,
): Promise<void> {
  const booted = await Promise.all(places.map((place) => ensureMachine(lab, place, addresses, baseRoot)));
  await writeSshConfig(lab, paths, places);
  await Promise.all(places.map((place) => waitMachine(lab, place)));
  const names = places.filter((_, index) => booted[index]).map(({ name, address }) => `${name} (${address})`);
  if (names.length > 0) context.report(`booted ${names.join(', ')}`);
}
