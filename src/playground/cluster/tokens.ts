import { Secret } from '../../mesh/secret.ts';
import type { TokenAccount, TokenRequest } from '../../mesh/ports.ts';

/** A token that looks like a service account's: three parts, claims in the middle; nobody verifies its signature here. */
export function playgroundToken({ namespace, name }: TokenAccount, { audiences }: TokenRequest, expiresAt: Date): Secret {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { aud: audiences, exp: Math.floor(expiresAt.getTime() / 1000), sub: `system:serviceaccount:${namespace}:${name}` };
  return new Secret(`${part({ alg: 'none' })}.${part(claims)}.${Buffer.from('playground').toString('base64url')}`);
}
