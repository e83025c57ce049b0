import type { KubeObject } from '../../mesh/ports.ts';

/** True where the labels satisfy a label selector (`a=b`, `a!=b`, `a`, `!a`, `a in (b,c)`, joined by commas). */
export function matchesLabels(selector: string | undefined, labels: Readonly<Record<string, string>> = {}): boolean {
  return split(selector).every((term) => {
    const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
    if (set) {
      const [, key = '', operator, list = ''] = set;
      const among = list.split(',').map((entry) => entry.trim());
      const holds = labels[key] !== undefined && among.includes(labels[key]);
      return operator === 'in' ? holds : !holds;
    }
    const [, key = '', operator, value = ''] = /^([^=!]+)(!=|==|=)(.*)$/.exec(term) ?? [];
    if (operator === '!=') return labels[key] !== value;
    if (operator) return labels[key] === value;
    return term.startsWith('!') ? labels[term.slice(1)] === undefined : labels[term] !== undefined;
  });
}

/** True where every `path=value` (or `path!=value`) of a field selector holds; a path may lead anywhere in the object. */
export function matchesFields(selector: string | undefined, object: KubeObject): boolean {
  return split(selector).every((term) => {
    const [, path = '', operator, value = ''] = /^([^=!]+)(!=|==|=)(.*)$/.exec(term) ?? [];
    let at: unknown = object;
    for (const key of path.split('.')) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
    const same = (typeof at === 'string' ? at : '') === value;
    return operator === '!=' ? !same : same;
  });
}

/** Splits at commas that stand outside brackets. */
function split(selector: string | undefined): string[] {
  return (selector ?? '')
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}
