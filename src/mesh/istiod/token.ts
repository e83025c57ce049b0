import type { VmScope } from '../era.ts';
import { pairFits } from '../host/keyPair.ts';
import type { GeneratedFile, WorkloadGroup } from '../model.ts';
import type { RemoteFile } from '../ports.ts';
import { CERT_CHAIN, KEY, OWNER, TOKEN } from './paths.ts';

/** The token of the first certificate (istiod facts 0.4, 1.7): needed where the VM has neither a certificate to renew with nor a token that still counts. */

export const AUDIENCE = 'istio-ca';
/** Seconds: istioctl's hour. */
export const TOKEN_LIFE = 3600;
/** The agent renews at half of a certificate's life: with less than this part left, it does not. */
const NEAR_END = 0.25;
/** Milliseconds that a token must still have, so that it lasts until the agent has used it. */
const TOKEN_LEFT_MS = 5 * 60_000;

export function tokenFile(scope: VmScope, group: WorkloadGroup): GeneratedFile {
  const { namespace, serviceAccount: name } = group;
  return {
    path: TOKEN,
    mode: 0o600,
    owner: OWNER,
    group: OWNER,
    content: {
      kind: 'minted',
      wanted: isTokenWanted(scope, group),
      mint: async (options) =>
        (await scope.api.createToken({ namespace, name }, { audiences: [AUDIENCE], expirationSeconds: TOKEN_LIFE }, options)).token,
    },
    readBy: [],
    editable: false,
  };
}

/** Neither a certificate that lasts nor a token that lasts, of this identity; offline nothing is known, so a new one is wanted. */
function isTokenWanted({ state, ports }: VmScope, group: WorkloadGroup): boolean {
  if (state === undefined) return true;
  const now = ports.clock.now().getTime();
  const at = (path: string): RemoteFile | undefined => state.files.find((file) => file.path === path);
  if (pairFits(state, CERT_CHAIN, KEY) === false) return true;
  return !lasts(at(CERT_CHAIN)?.certificate, group, now) && !counts(at(TOKEN)?.token, group, now);
}

function lasts(certificate: RemoteFile['certificate'], { namespace, serviceAccount }: WorkloadGroup, now: number): boolean {
  if (!certificate?.uris.some((uri) => uri.endsWith(`/ns/${namespace}/sa/${serviceAccount}`))) return false;
  const end = Date.parse(certificate.notAfter);
  return end - now > NEAR_END * (end - Date.parse(certificate.notBefore));
}

function counts(token: RemoteFile['token'], { namespace, serviceAccount }: WorkloadGroup, now: number): boolean {
  if (token?.subject !== `system:serviceaccount:${namespace}:${serviceAccount}`) return false;
  return token.audiences.includes(AUDIENCE) && Date.parse(token.expiresAt) - now > TOKEN_LEFT_MS;
}
