import pLimit from 'p-limit';
import * as vscode from 'vscode';
import type { Generated, VmStatus } from '../mesh/mesh.ts';
import type { CheckResult, VmEntry } from '../mesh/model.ts';
import type { CallOptions, ObjectQuery } from '../mesh/ports.ts';
import type { MeshError } from '../mesh/errors.ts';
import { ClusterReadings, type Changed, type ClusterFacts, type Seen } from './clusterReadings.ts';
import type { Session } from './session.ts';
import { readSettings } from './settings.ts';
import { Shelf, type Held } from './shelf.ts';
import { askedBefore, enteredAs, touchedBy, touchedByGroups, type Input } from './touched.ts';

export type { ClusterFacts } from './clusterReadings.ts';
export type { Held } from './shelf.ts';

/** A VM's status, with the paths that have a saved edit. */
export interface VmFacts extends Omit<VmStatus, 'generated'> {
  readonly edited: readonly string[];
}

export interface CheckRun {
  readonly results: readonly CheckResult[];
  readonly at: number;
}

/** What is known of clusters and VMs in this window: filled by the tree and by commands, read by everything that shows. */
export interface Facts {
  dispose(): void;
  readonly onDidChange: vscode.Event<void>;
  cluster(name: string): Held<ClusterFacts>;
  vm(name: string): Held<VmFacts>;
  checks(vm: string): CheckRun | undefined;
  /** Reads a cluster; one that is being read is waited for. Never throws: the error is in the answer. */
  readCluster(name: string): Promise<Held<ClusterFacts>>;
  /** Objects of a kind as the last reading saw them; once, and only where nothing was known before that reading. */
  takeSeen(cluster: string, query: ObjectQuery): Seen | undefined;
  /** Reads a cluster that was just changed, or that a person asks for: its control plane is looked for anew. */
  readAnew(name: string): Promise<Held<ClusterFacts>>;
  /** Reads what watches told of, after a read that is under way; asks no machine. */
  readChanged(name: string, changed: Changed): Promise<Held<ClusterFacts>>;
  /** Looks for a cluster's control plane anew, and reads the cluster where it is another than what is shown. */
  lookAgain(name: string, signal: AbortSignal): Promise<void>;
  /** What of a cluster the account may not watch: changes there show at the next reading. */
  setUnwatched(name: string, refusals: readonly MeshError[]): void;
  /** Asks those VMs of a cluster again that were asked before and whose files are made from what has changed. */
  readTouched(cluster: string, inputs: readonly Input[]): Promise<void>;
  /** Asks those VMs again whose entry in the inventory became another since they were asked: by hand, by a command, or by Git. */
  readEdited(): Promise<void>;
  readVm(name: string): Promise<Held<VmFacts>>;
  /** Reads a VM that was just changed, or that a person asks for: a read that is under way may have seen it before. */
  readVmAnew(name: string): Promise<Held<VmFacts>>;
  setChecks(vm: string, results: readonly CheckResult[]): void;
  /** Names that were read at least once. */
  known(): { readonly clusters: readonly string[]; readonly vms: readonly string[] };
  forgetVm(name: string): void;
  clear(): void;
}

/** At most this many machines are asked at once. */
const HOSTS_AT_ONCE = 4;

/** `onGenerated` gets the files that a status was made from: their documents then need no reading of their own. */
export function createFacts(session: Session, onGenerated: (generated: Generated) => Promise<void>): Facts {
  const changed = new vscode.EventEmitter<void>();
  const clusters = new ClusterReadings({
    changed,
    mesh: () => session.mesh(),
    timeoutMs: () => readSettings().timeouts.clusterMs,
    onReadAgain: (name, before, after) => void askAgain(name, touchedByGroups(before.workloadGroups, after.workloadGroups)),
  });
  const vms = new Shelf<VmFacts>(changed);
  const checks = new Map<string, CheckRun>();
  /** By VM, how the inventory had it when its machine was last asked. */
  const asked = new Map<string, string>();
  const limit = pLimit(HOSTS_AT_ONCE);
  const clear = () => {
    clusters.clear();
    vms.clear();
    checks.clear();
    asked.clear();
    changed.fire();
  };
  const askVm = (name: string, options: CallOptions) =>
    limit(async () => {
      const { inventory } = await session.file.read();
      const entry = inventory.vms.find((vm) => vm.name === name);
      if (entry !== undefined) asked.set(name, enteredAs(inventory, entry));
      const mesh = await session.mesh();
      const { generated, ...status } = await mesh.vmStatus(name, { ...options, timeoutMs: readSettings().timeouts.hostMs });
      if (generated !== undefined) await onGenerated(generated);
      return { ...status, edited: await session.edits.list(name) };
    });
  const readVm = (name: string) => vms.read(name, (options) => askVm(name, options));
  const readVmAnew = (name: string) => vms.readAnew(name, (options) => askVm(name, options));
  /** VMs whose files could not be made may be fine now that the cluster says something new; machines that did not answer are left alone. */
  const readBlocked = async (cluster: string): Promise<void> => {
    const { inventory } = await session.file.read();
    for (const vm of inventory.vms.filter((one) => one.cluster === cluster)) {
      const { error, loading } = vms.get(vm.name);
      if (error !== undefined && !loading && error.kind !== 'person' && !error.code.startsWith('host.')) void readVm(vm.name);
    }
  };
  /** Files that are made from something that has changed are others now. */
  const askAgain = async (cluster: string, touches: (vm: VmEntry) => boolean): Promise<void> => {
    const { inventory } = await session.file.read();
    for (const name of askedBefore(inventory, cluster, touches, (vm) => vms.get(vm))) void readVmAnew(name);
  };
  const reset = session.onDidReset(clear);
  return {
    onDidChange: changed.event,
    cluster: (name) => clusters.get(name),
    vm: (name) => vms.get(name),
    checks: (vm) => checks.get(vm),
    readCluster: async (name) => {
      const held = await clusters.read(name);
      if (held.error === undefined) void readBlocked(name);
      return held;
    },
    takeSeen: (cluster, query) => clusters.takeSeen(cluster, query),
    readAnew: async (name) => {
      const held = await clusters.readAnew(name);
      if (held.error === undefined) void readBlocked(name);
      return held;
    },
    readChanged: async (name, what) => {
      const held = await clusters.readChanged(name, what);
      if (held.error === undefined && (what === 'all' || what.some(({ stateOnly }) => stateOnly !== true))) void readBlocked(name);
      return held;
    },
    setUnwatched: (name, refusals) => clusters.setUnwatched(name, refusals),
    lookAgain: (name, signal) => clusters.lookAgain(name, signal),
    readTouched: (cluster, inputs) => askAgain(cluster, touchedBy(inputs)),
    readEdited: async () => {
      const { inventory } = await session.file.read();
      for (const { name } of inventory.clusters) await askAgain(name, (vm) => asked.get(vm.name) !== enteredAs(inventory, vm));
    },
    readVm,
    readVmAnew,
    setChecks: (vm, results) => {
      checks.set(vm, { results, at: Date.now() });
      changed.fire();
    },
    known: () => ({ clusters: clusters.names(), vms: vms.names() }),
    forgetVm: (name) => {
      vms.forget(name);
      checks.delete(name);
      asked.delete(name);
      changed.fire();
    },
    clear,
    dispose: () => {
      reset.dispose();
      clusters.clear();
      vms.clear();
      changed.dispose();
    },
  };
}
