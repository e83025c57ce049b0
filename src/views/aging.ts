import type * as vscode from 'vscode';
import type { Facts, Held, VmFacts } from '../editor/facts.ts';
import { turnsOf } from '../mesh/turns.ts';
import { isConnected, nextStale } from './liveVms.ts';
import type { Node } from './nodes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

type View = Pick<vscode.TreeView<Node>, 'visible' | 'onDidChangeVisibility'>;
type Known = Pick<Facts, 'onDidChange' | 'known' | 'cluster' | 'vm' | 'readVm'>;

/**
 * Shows what time alone changes: a claim goes stale, an age grows, a life shrinks: the tree is drawn again. A certificate or token that is due: its machine is
 * asked again, once, for its agent may have renewed it. One timer, at the next such moment, only while the view is visible.
 */
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
    const { visible } = this.#view;
    const now = Date.now();
    const { vms } = this.#facts.known();
    if (visible) for (const name of vms) if (isDue(this.#facts.vm(name), now)) void this.#facts.readVm(name);
    // Only now: a read that begins settles too.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const after = visible ? Math.min(...this.#waits(now)) : Infinity;
    if (after === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#repaint();
      this.#settle();
    }, after);
  }

  /** Milliseconds until something on the screen is older than it says. */
  #waits(now: number): readonly number[] {
    const { clusters, vms } = this.#facts.known();
    const read = clusters.map((name) => this.#facts.cluster(name).value);
    const stale = nextStale(
      read.map((cluster) => cluster?.workloadGroups),
      now,
    );
    const hasAge = read.some(
      (cluster) =>
        cluster?.loadBalancers.some(({ state }) => state === 'pending') === true ||
        cluster?.workloadGroups?.some(({ entries }) => entries.some((entry) => entry.since !== undefined && !isConnected(entry))) === true,
    );
    return [
      ...(stale === undefined ? [] : [stale - now + 1]),
      ...(hasAge ? [MINUTE_MS] : []),
      ...vms.flatMap((name) => lifeWaits(this.#facts.vm(name), now)),
    ];
  }
}

/** Whether a machine may have turned since it answered. One that waits for a person is not asked. */
function isDue({ value, at = 0, loading, error }: Held<VmFacts>, now: number): boolean {
  if (value === undefined || loading || error?.kind === 'person') return false;
  return turnsOf(value).some((turn) => at < turn && turn <= now);
}

/** Until the next turn of a machine, and until its lives are shown too long: never more than a day, as timers do not take months. */
function lifeWaits({ value }: Held<VmFacts>, now: number): readonly number[] {
  if (value === undefined) return [];
  return turnsOf(value)
    .map((turn) => turn - now)
    .filter((left) => left > 0)
    .flatMap((left) => [left, ...(left < MINUTE_MS ? [] : [(left % unitOf(left)) + 1])]);
}

/** Lives are shown in minutes, hours or days (durations.ts). */
function unitOf(left: number): number {
  return left < HOUR_MS ? MINUTE_MS : left < 2 * DAY_MS ? HOUR_MS : DAY_MS;
}
