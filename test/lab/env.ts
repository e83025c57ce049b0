// A running lab as a test sees it: where things are, and how to reach them past the code under test.
import process from 'node:process';
import { cacheDirectory } from '../../scripts/node24.mjs';
import type { LabAddresses } from './addresses.ts';
import type { ApiReader } from './apiServer.ts';
import { createApiReader } from './apiServer.ts';
import { API_PORT, DNS_CLUSTER_IP, labAddresses, OLD_API_PORT, SERVICE_CIDR } from './addresses.ts';
import { modulesOf, sidecarPackages } from './controlPlane.ts';
import { CONTEXT, OLD_CONTEXT, VIEWER_CONTEXT } from './kubeconfig.ts';
import { leader, machinePlaces } from './machines.ts';
import { DEFAULT_ISTIOD_LAB, DEFAULT_LAB, labName, labPaths, machinePaths, namespaceFile, networkNamespace } from './names.ts';
import type { IstioKind } from './record.ts';
import { readRecord } from './record.ts';
import { ADMIN_USER } from './ssh.ts';
import { clusterBinaries } from './toolchain/binaries.ts';
import type { RunOptions, RunResult } from './toolchain/run.ts';
import { run, runGo } from './toolchain/run.ts';

export interface LabMachine {
  /** Also its alias in the ssh configuration and its host name: `vm-1`. */
  name: string;
  address: string;
  /** Name of its network namespace, for `ip netns exec`. */
  netns: string;
  /** Its file system as seen from here, while it runs. */
  root: string;
}

export interface Lab extends ApiReader {
  name: string;
  /** `citadel`: the stand-ins for Istio 1.0.3. `istiod`: the real istiod 1.31. */
  istio: IstioKind;
  kubeconfig: string;
  contexts: { lab: string; old: string; viewer: string };
  apiServer: string;
  oldApiServer: string;
  serviceCidr: string;
  dnsClusterIp: string;
  sshConfig: string;
  sshKey: string;
  knownHosts: string;
  sshUser: string;
  machines: readonly LabMachine[];
  addresses: LabAddresses;
  /** Name of the cluster's network namespace. */
  netns: string;
  pkiDirectory: string;
  logDirectory: string;
  stateDirectory: string;
  kubectlBinary: string;
  /** The real istioctl 1.31; built on first use of a lab with istiod. */
  istioctlBinary: string;
  /** The sidecar package of the lab's Istio, and a newer one for upgrades, on this machine. */
  sidecarPackage: string;
  newerSidecarPackage: string;
  /** Where machines find both over HTTP. */
  sidecarPackageUrl: string;
  newerSidecarPackageUrl: string;
  /** Runs kubectl with the lab's kubeconfig. Throws CommandError (its words in the message) unless `tolerant`. */
  kubectl(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs istioctl with the lab's kubeconfig; for a lab with istiod. */
  istioctl(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The object or list that `kubectl ... -o json` prints. */
  kubectlJson(argv: readonly string[]): Promise<unknown>;
  /** Runs a command on the machine as its login user, over OpenSSH with the lab's configuration. Each word arrives as it is. */
  ssh(machine: string, argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs a command on the machine as root, entering its namespaces: works without sshd, sudo or network. */
  onMachine(machine: string, argv: readonly [string, ...string[]], options?: RunOptions): Promise<RunResult>;
  /** Runs a command inside the cluster's network, where cluster IPs answer. */
  inCluster(argv: readonly [string, ...string[]], options?: RunOptions): Promise<RunResult>;
  /** The machine with this name. Throws when the lab has none. */
  machine(name: string): LabMachine;
}

/** The lab with istiod: that of `MESH_ISTIOD_LAB`, else `dev-istiod`. Throws when it is not up, or has another Istio. */
export async function istiodLab(name: string = process.env.MESH_ISTIOD_LAB ?? DEFAULT_ISTIOD_LAB): Promise<Lab> {
  if (!(await readRecord(labName(name)))) throw new Error(`lab ${name} is not up: npm run lab -- up --name ${name} --istio istiod`);
  const lab = await labEnv(name);
  if (lab.istio !== 'istiod')
    throw new Error(`lab ${lab.name} runs with ${lab.istio}: npm run lab -- up --name ${DEFAULT_ISTIOD_LAB} --istio istiod`);
  return lab;
}

/** The lab of this name; default `MESH_LAB`, else `dev`. Throws when it is not up: a missing lab is a failure, never a skip. */
export async function labEnv(name: string = process.env.MESH_LAB ?? DEFAULT_LAB): Promise<Lab> {
  const lab = labName(name);
  const record = await readRecord(lab);
  if (!record) throw new Error(`lab ${lab} is not up: npm run lab -- up --name ${lab}`);
  const addresses = labAddresses(record.index);
  const paths = labPaths(lab);
  const machines = machinePlaces(addresses, record.machines).map(({ name: machine, address }) => ({
    name: machine,
    address,
    netns: networkNamespace(lab, machine),
    root: machinePaths(lab, machine).root,
  }));
  const context = { cacheDirectory, report: (line: string) => void process.stderr.write(`${line}\n`) };
  const binaries = await clusterBinaries(context, modulesOf(record.istio));
  const { kubectl: kubectlBinary, istioctl: istioctlBinary } = binaries;
  const kubectl = (argv: readonly string[], options?: RunOptions) =>
    runGo([kubectlBinary, '--kubeconfig', paths.kubeconfig, ...argv], options);
  const machineOf = (wanted: string) => {
    const found = machines.find((machine) => machine.name === wanted);
    if (!found) throw new Error(`lab ${lab} has no machine ${wanted}: npm run lab -- up --name ${lab} --machines N`);
    return found;
  };
  const apiServer = `https://${addresses.apiServer}:${API_PORT}`;
  const packages = await sidecarPackages(record.istio, binaries, addresses, context);
  return {
    name: lab,
    istio: record.istio,
    kubeconfig: paths.kubeconfig,
    contexts: { lab: CONTEXT, old: OLD_CONTEXT, viewer: VIEWER_CONTEXT },
    apiServer,
    oldApiServer: `https://${addresses.apiServer}:${OLD_API_PORT}`,
    serviceCidr: SERVICE_CIDR,
    dnsClusterIp: DNS_CLUSTER_IP,
    sshConfig: paths.sshConfig,
    sshKey: paths.sshKey,
    knownHosts: paths.knownHosts,
    sshUser: ADMIN_USER,
    machines,
    addresses,
    netns: networkNamespace(lab),
    pkiDirectory: paths.pki,
    logDirectory: paths.logs,
    stateDirectory: paths.state,
    kubectlBinary,
    istioctlBinary,
    ...packages,
    istioctl: (argv, options) => runGo([istioctlBinary, '--kubeconfig', paths.kubeconfig, ...argv], options),
    machine: machineOf,
    kubectl,
    kubectlJson: async (argv) => JSON.parse((await kubectl([...argv, '-o', 'json'])).stdout) as unknown,
    ...createApiReader(apiServer, paths.pki),
    ssh: (machine, argv, options) =>
      run(['ssh', '-F', paths.sshConfig, ...QUICK_LOGIN, '--', machineOf(machine).name, argv.map(quoteWord).join(' ')], options),
    onMachine: async (machine, argv, options) => {
      const pid = await leader(lab, machineOf(machine).name);
      if (!pid) throw new Error(`machine ${machine} of lab ${lab} does not run`);
      return run(
        [
          'nsenter',
          '-t',
          String(pid),
          '-a',
          '--',
          'env',
          '-i',
          'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          'HOME=/root',
          'LANG=C.UTF-8',
          ...argv,
        ],
        options,
      );
    },
    inCluster: (argv, options) => run(['nsenter', `--net=${namespaceFile(networkNamespace(lab))}`, '--', ...argv], options),
  };
}

// OpenSSH's first choice of a key exchange takes both sides a tenth of a processor's second each, seventeen times as much as this one.
const QUICK_LOGIN = ['-o', 'BatchMode=yes', '-o', 'KexAlgorithms=curve25519-sha256'] as const;

// sshd hands one line to the login shell.
function quoteWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
