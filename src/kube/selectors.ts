import type { KubeObject } from '../mesh/ports.ts';
import { isRecord } from './json.ts';

/** Label selectors as the API server reads them (equality, sets, presence), for dumps. Throws SyntaxError on anything else. */
export function matchesLabels(object: KubeObject, selector: string | undefined): boolean {
  const labels = object.metadata.labels ?? {};
  return terms(selector).every((term) => matchesLabel(labels, term));
}

/** Field selectors: `path=value`, `path!=value`, on any field of a dump. */
export function matchesFields(object: KubeObject, selector: string | undefined): boolean {
  return terms(selector).every((term) => {
    const parsed = /^([\w.]+)\s*(==|=|!=)\s*(.*)$/.exec(term);
    if (parsed === null) throw new SyntaxError(term);
    const [, path = '', operator, value] = parsed;
    const found = path.split('.').reduce<unknown>((current, key) => (isRecord(current) ? current[key] : undefined), object);
    const text = typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : '';
    return (text === value) === (operator !== '!=');
  });
}

/** Splits at commas that are not inside the brackets of a set. */
function terms(selector: string | undefined): readonly string[] {
  return (selector ?? '')
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function matchesLabel(labels: Readonly<Record<string, string>>, term: string): boolean {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    const value = labels[key];
    const inside =
      value !== undefined &&
      values
        .split(',')
        .map((text) => text.trim())
        .includes(value);
    return inside === (operator === 'in');
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return (labels[key] === value) === (operator !== '!=');
  }
  const presence = /^(!?)\s*([^\s=!]+)$/.exec(term);
  if (presence === null) throw new SyntaxError(term);
  return Object.hasOwn(labels, presence[2] ?? '') === (presence[1] === '');
}
