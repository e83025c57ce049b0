import type { CertificateFacts, TokenFacts } from '../mesh/model.ts';
import type { Texts } from '../editor/texts.ts';

export interface ShownSecret {
  readonly path: string;
  readonly facts: CertificateFacts | undefined;
  /** Set for a token: what is known of the one on the VM. */
  readonly token?: TokenFacts;
  /** The file is made only when it is pushed. */
  readonly minted?: boolean;
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
}

/** What a person may see of a certificate, key or token: facts, never the text. What a token says is the VM's: one line each. */
export function secretText({ path, facts, token, minted, mode, owner, group }: ShownSecret, { t }: Texts): string {
  const lines = [`# ${t('editor.secretDocument', { path })}`];
  if (minted === true) lines.push(`# ${t('editor.secretDocument.minted')}`);
  lines.push('');
  const rows: readonly (readonly [string, string])[] = [...certificateRows(facts), ...tokenRows(token)];
  if (rows.length === 0) lines.push(`# ${t('editor.secretDocument.noFacts')}`);
  else lines.push(...rows.filter(([, value]) => value !== '').map(([name, value]) => `${t(`editor.tip.${name}`)}: ${value}`));
  if (mode !== undefined) lines.push('', `${t('editor.tip.mode')}: ${mode.toString(8).padStart(4, '0')} ${owner ?? ''}:${group ?? ''}`);
  return `${lines.join('\n')}\n`;
}

function certificateRows(facts: CertificateFacts | undefined): readonly (readonly [string, string])[] {
  if (facts === undefined) return [];
  return [
    ['fingerprint', facts.fingerprint],
    ['subject', facts.subject],
    ['issuer', facts.issuer],
    ...facts.uris.map((uri) => ['san', uri] as const),
    ['notBefore', facts.notBefore],
    ['notAfter', facts.notAfter],
  ];
}

function tokenRows(token: TokenFacts | undefined): readonly (readonly [string, string])[] {
  if (token === undefined) return [];
  return [
    ['subject', token.subject],
    ['audiences', token.audiences.join(', ')],
    ['notAfter', token.expiresAt],
  ];
}
