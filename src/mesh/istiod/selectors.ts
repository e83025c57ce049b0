import { stringsAt } from '../cluster/untrusted.ts';
import type { KubeObject } from '../ports.ts';

export type Labels = Readonly<Record<string, string>>;

/** Labels that say what a workload is, those that others select by first (istiod facts 1.5). */
const usual = ['app', 'app.kubernetes.io/name', 'service.istio.io/canonical-name'];

/** Whether labels carry everything that a selector asks for; an empty selector selects nothing. */
export function selects(selector: Labels, labels: Labels): boolean {
  const asked = Object.entries(selector);
  return asked.length > 0 && asked.every(([key, value]) => labels[key] === value);
}

/** What all label sets share, by which they can be selected: the most usual label alone, else everything shared. Empty where they share nothing. */
export function sharedSelector(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all;
  const shared = Object.entries(first).filter(([key, value]) => others.every((labels) => labels[key] === value));
  const key = usual.find((one) => shared.some(([name]) => name === one));
  return Object.fromEntries(shared.filter(([name]) => key === undefined || name === key));
}

/** The labels of an entry that selectors see. */
export function entryLabels(entry: KubeObject): Labels {
  return stringsAt(entry, 'spec', 'labels');
}
