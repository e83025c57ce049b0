import pLimit from 'p-limit';
import * as vscode from 'vscode';
import type { ClusterOverview, Generated, VmStatus } from '../mesh/mesh.ts';
import type { CheckResult, VmEntry } from '../mesh/model.ts';
import type { CallOptions, KubeObject, ObjectQuery } from '../mesh/ports.ts';
import type { Session } from './session.ts';
import { readSettings } from './settings.ts';
import { Shelf, type Held } from './shelf.ts';
import { digestsOf } from './watchNews.ts';
import { askedBefore, touchedBy, touchedByGroups, type Input } from './touched.ts';

export type { Held } from './shelf.ts';

export type ClusterFacts = ClusterOverview;

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
  /** Objects of a kind as the last reading saw them, by name with what a watch tells them by; once, and only where nothing was known before that reading. */
  takeSeen(cluster: string, query: ObjectQuery): ReadonlyMap<string, string> | undefined;
  /** Reads a cluster that was just changed, or that a person asks for: its control plane is looked for anew. */
  readAnew(name: string): Promise<Held<ClusterFacts>>;
  /** Reads what an event of a watch was about, after a read that is under way; asks no machine. */
  readChanged(name: string, what: 'all' | 'groups'): Promise<Held<ClusterFacts>>;
  /** Asks those VMs of a cluster again that were asked before and whose files are made from what has changed. */
  readTouched(cluster: string, inputs: readonly Input[]): Promise<void>;
  readVm(name: string): Promise<Held<VmFacts>>;
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
  const clusters = new Shelf<ClusterFacts>(changed);
  const vms = new Shelf<VmFacts>(changed);
  const checks = new Map<string, CheckRun>();
  const seen = new Map<string, Map<string, Map<string, string>>>();
  const limit = pLimit(HOSTS_AT_ONCE);
  const clear = () => {
    clusters.clear();
    vms.clear();
    checks.clear();
    seen.clear();
    changed.fire();
  };
  const askVm = (name: string, options: CallOptions) =>
    limit(async () => {
      const mesh = await session.mesh();
      const { generated, ...status } = await mesh.vmStatus(name, { ...options, timeoutMs: readSettings().timeouts.hostMs });
      if (generated !== undefined) await onGenerated(generated);
      return { ...status, edited: await session.edits.list(name) };
    });
  const readVm = (name: string) => vms.read(name, (options) => askVm(name, options));
  /** VMs whose files could not be made may be fine now that the cluster says something new; machines that did not answer are left alone. */
  const readBlocked = async (cluster: string): Promise<void> => {
    const { inventory } = await session.file.read();
    for (const vm of inventory.vms.filter((one) => one.cluster === cluster)) {
      const { error, loading } = vms.get(vm.name);
      if (error !== undefined && !loading && error.kind !== 'person' && !error.code.startsWith('host.')) void readVm(vm.name);
    }
  };
  const whole = async (name: string, options: CallOptions, fresh = false): Promise<ClusterFacts> => {
    const before = clusters.get(name).value;
    const mesh = await session.mesh();
    const read = new Map<string, Map<string, string>>();
    const onListed = (query: ObjectQuery, objects: readonly KubeObject[]) => read.set(queryKey(query), digestsOf(objects));
    // What was read before is watched already, or is looked at again when a watch begins.
    const first = before === undefined ? { onListed } : {};
    const facts = await mesh.overview(name, { ...options, ...first, timeoutMs: readSettings().timeouts.clusterMs, fresh });
    seen.set(name, read);
    if (before !== undefined) void askAgain(name, touchedByGroups(before.workloadGroups, facts.workloadGroups));
    return facts;
  };
  /** Files that are made from something that has changed are others now. */
  const askAgain = async (cluster: string, touches: (vm: VmEntry) => boolean): Promise<void> => {
    const { inventory } = await session.file.read();
    for (const name of askedBefore(inventory, cluster, touches, (vm) => vms.get(vm)))
      void vms.readAnew(name, (options) => askVm(name, options));
  };
  /** How the cluster sees its machines, beside everything else as it was. */
  const groupsOnly = async (name: string, options: CallOptions): Promise<ClusterFacts> => {
    const { value } = clusters.get(name);
    if (value === undefined) return whole(name, options);
    const mesh = await session.mesh();
    return { ...value, workloadGroups: await mesh.workloadGroups(name, { ...options, timeoutMs: readSettings().timeouts.clusterMs }) };
  };
  const reset = session.onDidReset(clear);
  return {
    onDidChange: changed.event,
    cluster: (name) => clusters.get(name),
    vm: (name) => vms.get(name),
    checks: (vm) => checks.get(vm),
    readCluster: async (name) => {
      const held = await clusters.read(name, (options) => whole(name, options));
      if (held.error === undefined) void readBlocked(name);
      return held;
    },
    takeSeen: (cluster, query) => {
      const found = seen.get(cluster)?.get(queryKey(query));
      seen.get(cluster)?.delete(queryKey(query));
      return found;
    },
    readAnew: async (name) => {
      const held = await clusters.readAnew(name, (options) => whole(name, options, true));
      if (held.error === undefined) void readBlocked(name);
      return held;
    },
    readChanged: async (name, what) => {
      const held = await clusters.readAnew(name, (options) => (what === 'all' ? whole : groupsOnly)(name, options));
      if (held.error === undefined && what === 'all') void readBlocked(name);
      return held;
    },
    readTouched: (cluster, inputs) => askAgain(cluster, touchedBy(inputs)),
    readVm,
    setChecks: (vm, results) => {
      checks.set(vm, { results, at: Date.now() });
      changed.fire();
    },
    known: () => ({ clusters: clusters.names(), vms: vms.names() }),
    forgetVm: (name) => {
      vms.forget(name);
      checks.delete(name);
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

function queryKey({ apiVersion, kind, namespace, labelSelector, fieldSelector }: ObjectQuery): string {
  return JSON.stringify([apiVersion, kind, namespace, labelSelector, fieldSelector]);
}
