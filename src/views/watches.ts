import type * as vscode from 'vscode';
import { asMeshError } from '../mesh/errors.ts';

import type { Facts } from '../editor/facts.ts';
import type { Log } from '../editor/log.ts';
import type { Session } from '../editor/session.ts';
import type { Node } from './nodes.ts';
import { newsOf, type News } from './watchNews.ts';

const DEBOUNCE_MS = 50;

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
    let what: Exclude<News, 'none'> = 'groups';
    const readSoon = (news: News) => {
      if (news === 'none') return;
      if (news === 'all') what = 'all';
      timer ??= setTimeout(() => {
        timer = undefined;
        if (!abort.signal.aborted) void this.#facts.readChanged(name, what);
        what = 'groups';
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

  async #watch(name: string, signal: AbortSignal, onNews: (news: News) => void): Promise<void> {
    const context = (await this.#session.inventory()).clusters.find((cluster) => cluster.name === name)?.context;
    if (context === undefined) return;
    const watched = await (await this.#session.mesh()).watched(name, { signal });
    const { connections } = await this.#session.backend();
    const api = await connections.cluster(context);
    try {
      await Promise.all(
        watched.map((query) => {
          const seen = new Map<string, string>();
          return api.watch(query, (event) => onNews(newsOf(event, seen)), { signal });
        }),
      );
    } finally {
      // Its connections are its own; the other watches of the cluster end with them.
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
