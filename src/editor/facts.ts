import pLimit from 'p-limit';
import * as vscode from 'vscode';
import { asMeshError, type MeshError } from '../mesh/errors.ts';
import type { Mesh, UnmanagedVm, VmStatus } from '../mesh/mesh.ts';
import type { CheckResult, ControlPlane, LoadBalancer, RegisteredService } from '../mesh/model.ts';
import type { CallOptions } from '../mesh/ports.ts';
import type { Session } from './session.ts';
import { readSettings } from './settings.ts';

/** Something that was read, or is being read: the last good value stays beside a later error. */
export interface Held<T> {
  readonly value?: T;
  readonly error?: MeshError;
  readonly loading: boolean;
  /** Milliseconds since 1970 of the last answer. */
  readonly at?: number;
}

export interface ClusterFacts {
  readonly controlPlane: ControlPlane;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly services: readonly RegisteredService[];
  readonly unmanaged: readonly UnmanagedVm[];
}

/** A VM's status, with the paths that have a saved edit. */
export interface VmFacts extends VmStatus {
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
  readVm(name: string): Promise<Held<VmFacts>>;
  setChecks(vm: string, results: readonly CheckResult[]): void;
  /** Names that were read at least once. */
  known(): { readonly clusters: readonly string[]; readonly vms: readonly string[] };
  forgetVm(name: string): void;
  clear(): void;
}

/** At most this many machines are asked at once. */
const HOSTS_AT_ONCE = 4;
const nothing = { loading: false } as const;

export function createFacts(session: Session): Facts {
  const changed = new vscode.EventEmitter<void>();
  const clusters = new Shelf<ClusterFacts>(changed);
  const vms = new Shelf<VmFacts>(changed);
  const checks = new Map<string, CheckRun>();
  const limit = pLimit(HOSTS_AT_ONCE);
  const clear = () => {
    clusters.clear();
    vms.clear();
    checks.clear();
    changed.fire();
  };
  const readVm = (name: string) =>
    vms.read(name, (options) =>
      limit(async () => ({
        ...(await (await session.mesh()).vmStatus(name, { ...options, timeoutMs: readSettings().timeouts.hostMs })),
        edited: await session.edits.list(name),
      })),
    );
  /** VMs whose files could not be made may be fine now that the cluster says something new; machines that did not answer are left alone. */
  const readBlocked = async (cluster: string): Promise<void> => {
    const { inventory } = await session.file.read();
    for (const vm of inventory.vms.filter((one) => one.cluster === cluster)) {
      const { error, loading } = vms.get(vm.name);
      if (error !== undefined && !loading && error.kind !== 'person' && !error.code.startsWith('host.')) void readVm(vm.name);
    }
  };
  const reset = session.onDidReset(clear);
  return {
    onDidChange: changed.event,
    cluster: (name) => clusters.get(name),
    vm: (name) => vms.get(name),
    checks: (vm) => checks.get(vm),
    readCluster: async (name) => {
      const held = await clusters.read(name, async (options) =>
        readCluster(await session.mesh(), name, { ...options, timeoutMs: readSettings().timeouts.clusterMs }),
      );
      if (held.error === undefined) void readBlocked(name);
      return held;
    },
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

async function readCluster(mesh: Mesh, name: string, options: CallOptions): Promise<ClusterFacts> {
  const controlPlane = await mesh.controlPlane(name, options);
  const [loadBalancers, services, unmanaged] = await Promise.all([
    mesh.loadBalancers(name, options),
    mesh.services(name, options),
    mesh.unmanaged(name, options),
  ]);
  return { controlPlane, loadBalancers, services, unmanaged };
}

/** Values by name with the reads that are under way. */
class Shelf<T> {
  readonly #held = new Map<string, Held<T>>();
  readonly #reads = new Map<string, { readonly abort: AbortController; readonly done: Promise<Held<T>> }>();
  readonly #changed: vscode.EventEmitter<void>;

  constructor(changed: vscode.EventEmitter<void>) {
    this.#changed = changed;
  }

  get(name: string): Held<T> {
    return this.#held.get(name) ?? nothing;
  }

  names(): readonly string[] {
    return [...this.#held.keys()];
  }

  read(name: string, work: (options: CallOptions) => Promise<T>): Promise<Held<T>> {
    const running = this.#reads.get(name);
    if (running !== undefined) return running.done;
    const abort = new AbortController();
    this.#set(name, { ...this.get(name), loading: true });
    const done = work({ signal: abort.signal })
      .then(
        (value): Held<T> => ({ value, loading: false, at: Date.now() }),
        (thrown: unknown): Held<T> => ({ value: this.get(name).value, error: asMeshError(thrown), loading: false, at: Date.now() }),
      )
      .then((held) => {
        // A read that was dropped meanwhile must not overwrite what came after it.
        if (!abort.signal.aborted) {
          this.#reads.delete(name);
          this.#set(name, held);
        }
        return held;
      });
    this.#reads.set(name, { abort, done });
    return done;
  }

  forget(name: string): void {
    this.#reads.get(name)?.abort.abort();
    this.#reads.delete(name);
    this.#held.delete(name);
  }

  clear(): void {
    for (const name of [...this.#reads.keys()]) this.forget(name);
    this.#held.clear();
  }

  #set(name: string, held: Held<T>): void {
    this.#held.set(name, held);
    this.#changed.fire();
  }
}
