import type { VmStatus } from './mesh.ts';
import { EXPIRING_PART, leafCertificate } from './status.ts';

/**
 * Moments, in milliseconds since 1970, at which a joined machine may turn without anybody touching it: its certificate is due for renewal, or ends; a token
 * ends that is all it has. What is so then only the machine knows: its agent renews.
 */
export function turnsOf({
  condition,
  own,
  state,
  tokenExpiresAt,
}: Pick<VmStatus, 'condition' | 'own' | 'state' | 'tokenExpiresAt'>): readonly number[] {
  if ((own?.condition ?? condition) === 'not-joined') return [];
  const leaf = leafCertificate(state);
  const end = Date.parse(leaf?.notAfter ?? '');
  const due = end - EXPIRING_PART * (end - Date.parse(leaf?.notBefore ?? ''));
  const token = Date.parse(tokenExpiresAt ?? '');
  // While a certificate lasts, nobody needs the token.
  return [due, end, ...(token < due ? [] : [token])].filter((time) => !Number.isNaN(time)).map((time) => Math.ceil(time) + 1);
}
