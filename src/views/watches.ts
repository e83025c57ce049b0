import type * as vscode from 'vscode';
import { asMeshError } from '../mesh/errors.ts';
import type { KubeObject, ObjectQuery, WatchEvent } from '../mesh/ports.ts';
import type { Facts } from '../editor/facts.ts';
import type { Log } from '../editor/log.ts';
import type { Session } from '../editor/session.ts';
import type { Node } from './nodes.ts';

const DEBOUNCE_MS = 80;
const watched: readonly ObjectQuery[] = [
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'Endpoints' },
];

/** Old clusters elect their leaders through Endpoints that change every two seconds. */
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';

/** Watches each cluster while its node is open and the view is visible; what changes there is read again. */
export class Watches implements vscode.Disposable {
  readonly #session: Session;
  readonly #facts: Facts;
  readonly #log: Log;
  readonly #open = new Set<string>();
  readonly #running = new Map<string, AbortController>();
  /** Clusters whose watch failed: begun again only after a read failed too and then succeeded, so that a refused watch is not asked for in a loop. */
  readonly #failed = new Set<string>();
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
      }),
      session.onDidReset(() => {
        this.#stopAll();
        this.#open.clear();
        this.#failed.clear();
      }),
      // A watch begins only where a read succeeded: a cluster that refuses is left alone.
      facts.onDidChange(() => this.#settle()),
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
    const abort = new AbortController();
    this.#running.set(name, abort);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const readSoon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (!abort.signal.aborted) void this.#facts.readCluster(name);
      }, DEBOUNCE_MS);
    };
    abort.signal.addEventListener('abort', () => clearTimeout(timer));
    void this.#watch(name, abort.signal, readSoon).catch((thrown: unknown) => {
      const error = asMeshError(thrown);
      if (abort.signal.aborted || this.#running.get(name) !== abort) return;
      if (error.kind !== 'cancelled') this.#log.error(name, error);
      this.#stop(name);
      this.#failed.add(name);
      // The node shows what is wrong, with Sign in or Retry.
      void this.#facts.readCluster(name);
    });
  }

  async #watch(name: string, signal: AbortSignal, onChange: () => void): Promise<void> {
    const context = (await this.#session.inventory()).clusters.find((cluster) => cluster.name === name)?.context;
    if (context === undefined) return;
    const { connections } = await this.#session.backend();
    const api = await connections.cluster(context);
    try {
      await Promise.all(
        watched.map((query) => {
          const seen = new Map<string, string>();
          return api.watch(query, (event) => (isNews(event, seen) ? onChange() : undefined), { signal });
        }),
      );
    } finally {
      // Its connections are its own; the other watch of the pair ends with them.
      await api.close();
    }
  }

  #stop(name: string): void {
    this.#running.get(name)?.abort();
    this.#running.delete(name);
  }

  #stopAll(): void {
    for (const name of [...this.#running.keys()]) this.#stop(name);
  }
}

/** Whether an event says something that the tree shows; a repeated object does not. */
function isNews(event: WatchEvent, seen: Map<string, string>): boolean {
  const { object } = event;
  const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  if (event.type === 'DELETED') return seen.delete(key);
  if (object.metadata.annotations?.[leaderAnnotation] !== undefined) return false;
  const text = shownPart(object);
  if (seen.get(key) === text) return false;
  seen.set(key, text);
  return true;
}

function shownPart(object: KubeObject): string {
  return JSON.stringify([object.spec, object.status, object.subsets, object.metadata.labels]);
}
