// What a lab calls its things, so that everything it ever made can be found again by its name alone, and two labs never share one.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../../scripts/node24.mjs';

export const DEFAULT_LAB = 'dev';
export const DEFAULT_ISTIOD_LAB = 'dev-istiod';
export const LABS_DIRECTORY = path.join(cacheDirectory, 'labs');
const NAMESPACE_PREFIX = 'mesh-lab.';

/** Returns the name; throws RangeError when it is not `[a-z][a-z0-9-]{0,19}`. It reaches interface, cgroup and file names, where a dot separates lab and machine. */
export function labName(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name))
    throw new RangeError(`lab name "${name}": use 1 to 20 lower-case letters, digits and hyphens, starting with a letter`);
  return name;
}

export function machineName(number: number): string {
  return `vm-${number}`;
}

/** Network namespace of the lab's cluster, or of one of its machines. */
export function networkNamespace(lab: string, machine?: string): string {
  return machine ? `${NAMESPACE_PREFIX}${lab}.${machine}` : `${NAMESPACE_PREFIX}${lab}`;
}

/** True for each of the lab's network namespaces, known machines or not. */
export function isNamespaceOf(lab: string, namespace: string): boolean {
  return namespace === networkNamespace(lab) || namespace.startsWith(`${NAMESPACE_PREFIX}${lab}.`);
}

export function namespaceFile(namespace: string): string {
  return path.join('/run/netns', namespace);
}

/** The root namespace's end of the link to the lab; the index keeps it within the 15 characters of an interface name. */
export function uplinkName(index: number): string {
  return `mesh-lab${index}`;
}

export const BRIDGE = 'br0';

/** The lab's top cgroup directory in each hierarchy that tracks processes. Both systemd's and the unified one on a hybrid machine. */
export function cgroupRoots(lab: string): string[] {
  const hierarchies = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? ['/sys/fs/cgroup']
    : ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].filter((directory) => existsSync(directory));
  return hierarchies.map((directory) => path.join(directory, `${NAMESPACE_PREFIX}${lab}`));
}

/** Held by whoever changes the lab; beside its state, so that it outlives that. */
export function labLock(lab: string): string {
  return path.join(LABS_DIRECTORY, `.${labName(lab)}.lock`);
}

/** Where everything about one lab is kept. */
export interface LabPaths {
  state: string;
  /** Index and number of machines; written before anything is made. */
  record: string;
  pki: string;
  kubeconfig: string;
  logs: string;
  /** Configuration files of the cluster's processes. */
  config: string;
  /** What each running process was started with. */
  processes: string;
  sshKey: string;
  sshConfig: string;
  knownHosts: string;
}

export function labPaths(lab: string): LabPaths {
  const state = path.join(LABS_DIRECTORY, labName(lab));
  return {
    state,
    record: path.join(state, 'lab.json'),
    pki: path.join(state, 'pki'),
    kubeconfig: path.join(state, 'kubeconfig'),
    logs: path.join(state, 'logs'),
    config: path.join(state, 'config'),
    processes: path.join(state, 'processes'),
    sshKey: path.join(state, 'ssh', 'id_ed25519'),
    sshConfig: path.join(state, 'ssh', 'config'),
    knownHosts: path.join(state, 'ssh', 'known_hosts'),
  };
}

/** Where one machine lives: an overlay whose `root` is its file system as seen from here. */
export function machinePaths(
  lab: string,
  machine: string,
): { directory: string; upper: string; work: string; root: string; console: string; knownHost: string } {
  const directory = path.join(labPaths(lab).state, 'machines', machine);
  const at = (name: string) => path.join(directory, name);
  return { directory, upper: at('upper'), work: at('work'), root: at('root'), console: at('console.log'), knownHost: at('known_host') };
}
