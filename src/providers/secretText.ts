import type { CertificateFacts } from '../mesh/model.ts';
import type { Texts } from '../editor/texts.ts';

export interface ShownSecret {
  readonly path: string;
  readonly facts: CertificateFacts | undefined;
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
}

/** What a person may see of a certificate or key: facts, never the text. */
export function secretText({ path, facts, mode, owner, group }: ShownSecret, { t }: Texts): string {
  const lines = [`# ${t('editor.secretDocument', { path })}`, ''];
  if (facts === undefined) lines.push(`# ${t('editor.secretDocument.noFacts')}`);
  else {
    const rows: readonly (readonly [string, string])[] = [
      ['fingerprint', facts.fingerprint],
      ['subject', facts.subject],
      ['issuer', facts.issuer],
      ...facts.uris.map((uri) => ['san', uri] as const),
      ['notBefore', facts.notBefore],
      ['notAfter', facts.notAfter],
    ];
    lines.push(...rows.filter(([, value]) => value !== '').map(([name, value]) => `${t(`editor.tip.${name}`)}: ${value}`));
  }
  if (mode !== undefined) lines.push('', `${t('editor.tip.mode')}: ${mode.toString(8).padStart(4, '0')} ${owner ?? ''}:${group ?? ''}`);
  return `${lines.join('\n')}\n`;
}
