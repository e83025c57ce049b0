import type * as vscode from 'vscode';
import type { Facts } from '../editor/facts.ts';
import type { Log } from '../editor/log.ts';
import type { Session } from '../editor/session.ts';
import type { Input } from '../editor/touched.ts';
import { asMeshError, isMeshError, type MeshError } from '../mesh/errors.ts';
import type { ChangedObject, Watched } from '../mesh/mesh.ts';
import type { ClusterApi } from '../mesh/ports.ts';
import type { Node } from './nodes.ts';
import { isChanged } from '../editor/watchNews.ts';
import { watchShown, type OnNews } from './watchShown.ts';

/** Long enough for the writes of one act, short enough for a change to be in the tree within 100 ms (design: Budgets). */
const DEBOUNCE_MS = 20;
/** What is told of a control plane comes from many objects that are not watched, and is looked for at most this often. */
const CONTROL_PLANE_MS = 5000;
/** Machines are asked for it: edits come in several writes. */
const INPUT_DEBOUNCE_MS = 300;

interface Running {
  readonly abort: AbortController;
  /** What is watched, as text; undefined until it is known. */
  watched?: string;
  /** How often the inventory has changed until then. */
  changes: number;
  /** What the account may not watch. */
  readonly refused: MeshError[];
}

/** Watches each cluster while its node is open and the view is visible; what changes there is read again. */
export class Watches implements vscode.Disposable {
  readonly #session: Session;
  readonly #facts: Facts;
  readonly #log: Log;
  readonly #open = new Set<string>();
  readonly #running = new Map<string, Running>();
  /** Clusters whose watch failed: begun again only after a read failed too and then succeeded, so that a refused watch is not asked for in a loop. */
  readonly #failed = new Set<string>();
  /** By cluster, what files are made from as it was last seen: a change while nobody looked counts when somebody looks again. */
  readonly #inputs = new Map<string, Map<string, string>>();
  readonly #subscriptions: vscode.Disposable[];
  #visible: boolean;

  constructor(view: vscode.TreeView<Node>, session: Session, facts: Facts, log: Log) {
    this.#session = session;
    this.#facts = facts;
    this.#log = log;
    this.#visible = view.visible;
    this.#subscriptions = [
      view.onDidExpandElement(({ element }) => this.#setOpen(element, true)),
      view.onDidCollapseElement(({ element }) => this.#setOpen(element, false)),
      view.onDidChangeVisibility(({ visible }) => {
        this.#visible = visible;
        this.#settle();
        if (visible) void this.#facts.readEdited();
      }),
      session.onDidReset(() => {
        this.#stopAll();
        this.#open.clear();
        this.#failed.clear();
        this.#inputs.clear();
      }),
      // A watch begins only where a read succeeded: a cluster that refuses is left alone.
      facts.onDidChange(() => this.#settle()),
      session.file.onDidChange(() => {
        if (this.#visible) void this.#facts.readEdited();
        // A VM in a namespace of its own has a root certificate of its own.
        for (const name of this.#running.keys()) void this.#renew(name).catch(() => undefined);
      }),
    ];
  }

  dispose(): void {
    this.#stopAll();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #setOpen(node: Node, open: boolean): void {
    if (node.kind !== 'cluster') return;
    if (open) this.#open.add(node.cluster.name);
    else {
      this.#open.delete(node.cluster.name);
      this.#failed.delete(node.cluster.name);
    }
    this.#settle();
  }

  #settle(): void {
    for (const name of this.#running.keys()) if (!this.#visible || !this.#open.has(name)) this.#stop(name);
    if (!this.#visible) return;
    for (const name of this.#open) {
      const { value, error } = this.#facts.cluster(name);
      if (error !== undefined) this.#failed.delete(name);
      if (!this.#failed.has(name) && !this.#running.has(name) && value !== undefined && error === undefined) this.#start(name);
    }
  }

  #start(name: string): void {
    const running: Running = { abort: new AbortController(), changes: 0, refused: [] };
    const { signal } = running.abort;
    this.#running.set(name, running);
    this.#facts.setUnwatched(name, []);
    let news: ChangedObject[] | 'all' = [];
    const read = soon(DEBOUNCE_MS, signal, () => {
      void this.#facts.readChanged(name, news);
      news = [];
    });
    const look = soon(CONTROL_PLANE_MS, signal, () => void this.#facts.lookAgain(name, signal));
    const onNews = (one: ChangedObject | 'all') => {
      if (one === 'all') news = 'all';
      else if (news !== 'all') news.push(one);
      read();
      if (one === 'all' || one.stateOnly !== true) look();
    };
    let changed: Input[] = [];
    const ask = soon(INPUT_DEBOUNCE_MS, signal, () => {
      void this.#facts.readTouched(name, changed);
      changed = [];
    });
    const onInput = (input: Input) => {
      changed.push(input);
      ask();
      look();
    };
    void this.#watch(name, running, onNews, onInput).catch((thrown: unknown) => {
      const error = asMeshError(thrown);
      if (signal.aborted || this.#running.get(name) !== running) return;
      if (error.kind !== 'cancelled') this.#log.error(name, error);
      this.#stop(name);
      this.#failed.add(name);
      // The node shows what is wrong, with Sign in or Retry.
      void this.#facts.readCluster(name);
    });
  }

  async #watch(name: string, running: Running, onNews: OnNews, onInput: (input: Input) => void): Promise<void> {
    const { signal } = running.abort;
    const context = (await this.#session.inventory()).clusters.find((cluster) => cluster.name === name)?.context;
    if (context === undefined) return;
    let watched: readonly Watched[];
    let changes: number;
    do {
      changes = running.changes;
      watched = await (await this.#session.mesh()).watched(name, { signal });
    } while (changes !== running.changes);
    running.watched = JSON.stringify(watched);
    const { connections } = await this.#session.backend();
    const api = await connections.cluster(context);
    try {
      await Promise.all(
        watched.map(async (one) => {
          try {
            if (one.inputOf !== undefined) await this.#watchInput(name, api, one, signal, onInput);
            else await watchShown(api, one, this.#facts.takeSeen(name, one), signal, onNews);
          } catch (error) {
            if (!isMeshError(error, 'kube.forbidden') || signal.aborted) throw error;
            // The rest is watched; of this a change shows at the next reading.
            running.refused.push(error);
            this.#facts.setUnwatched(name, running.refused);
          }
        }),
      );
    } finally {
      // Its connections are its own; the other watches of the cluster end with them.
      await api.close();
    }
  }

  async #watchInput(name: string, api: ClusterApi, { inputOf, ...query }: Watched, signal: AbortSignal, onInput: (input: Input) => void) {
    const seen = this.#inputs.get(name) ?? new Map<string, string>();
    this.#inputs.set(name, seen);
    await api.watch(
      query,
      (event) => {
        if (inputOf !== undefined && isChanged(event, seen)) onInput(inputOf);
      },
      { signal },
    );
  }

  /** Begins again where the edited inventory makes other objects matter. */
  async #renew(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    if (running.watched === undefined) {
      running.changes += 1;
      return;
    }
    const watched = JSON.stringify(await (await this.#session.mesh()).watched(name, { signal: running.abort.signal }));
    if (watched === running.watched || this.#running.get(name) !== running) return;
    this.#stop(name);
    this.#settle();
  }

  #stop(name: string): void {
    this.#running.get(name)?.abort.abort();
    this.#running.delete(name);
  }

  #stopAll(): void {
    for (const name of [...this.#running.keys()]) this.#stop(name);
  }
}

/** Several calls within the time become one, at its end; none after the signal. */
function soon(milliseconds: number, signal: AbortSignal, run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    if (signal.aborted) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      run();
    }, milliseconds);
  };
}
