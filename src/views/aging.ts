import type * as vscode from 'vscode';
import type { Facts } from '../editor/facts.ts';
import { isConnected, nextStale } from './liveVms.ts';
import type { Node } from './nodes.ts';

/** How often ages that are on the screen are drawn anew. */
const AGE_MS = 60_000;

type View = Pick<vscode.TreeView<Node>, 'visible' | 'onDidChangeVisibility'>;
type Known = Pick<Facts, 'onDidChange' | 'known' | 'cluster'>;

/** Draws the tree again when time alone changes what it shows: a claim goes stale, an age grows. One timer, only while the view is visible. */
export class Aging implements vscode.Disposable {
  readonly #view: View;
  readonly #facts: Known;
  readonly #repaint: () => void;
  readonly #subscriptions: readonly vscode.Disposable[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View, facts: Known, repaint: () => void) {
    this.#view = view;
    this.#facts = facts;
    this.#repaint = repaint;
    this.#subscriptions = [facts.onDidChange(() => this.#settle()), view.onDidChangeVisibility(() => this.#settle())];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const after = this.#view.visible ? this.#nextMs() : undefined;
    if (after === undefined) return;
    this.#timer = setTimeout(() => {
      this.#repaint();
      this.#settle();
    }, after);
  }

  /** Milliseconds until something on the screen is older than it says; undefined where nothing has an age. */
  #nextMs(): number | undefined {
    const clusters = this.#facts.known().clusters.map((name) => this.#facts.cluster(name).value);
    const now = Date.now();
    const stale = nextStale(
      clusters.map((cluster) => cluster?.workloadGroups),
      now,
    );
    const hasAge = clusters.some(
      (cluster) =>
        cluster?.loadBalancers.some(({ state }) => state === 'pending') === true ||
        cluster?.workloadGroups?.some(({ entries }) => entries.some((entry) => entry.since !== undefined && !isConnected(entry))) === true,
    );
    const waits = [...(stale === undefined ? [] : [stale - now + 1]), ...(hasAge ? [AGE_MS] : [])];
    return waits.length === 0 ? undefined : Math.min(...waits);
  }
}
