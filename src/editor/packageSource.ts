import type { PackageSource } from '../mesh/ports.ts';

/** A sidecar package as a person names it; `wrong` where the text is neither a path, nor a URL, nor an istio.VERSION file. */
export function packageSource(text: string): PackageSource | 'wrong' | undefined {
  if (text === '') return undefined;
  if (/^https?:\/\/\S+$/.test(text)) return { kind: 'url', url: text };
  if (/^[a-z][a-z+]*:\/\//i.test(text)) return 'wrong';
  if (/(^|[/\\])istio\.VERSION$/.test(text)) return { kind: 'istio.VERSION', path: text };
  return /\.(deb|rpm)$/.test(text) ? { kind: 'file', path: text } : 'wrong';
}
