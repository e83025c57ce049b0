import type { TokenFacts } from '../../mesh/model.ts';

interface Claims {
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
}

/** Claims of a token (RFC 7519); undefined where it is none. Nothing is verified. */
export function tokenFacts(text: string): TokenFacts | undefined {
  const claims = claimsOf(text);
  if (claims === undefined || typeof claims.sub !== 'string' || typeof claims.exp !== 'number') return undefined;
  const audiences = Array.isArray(claims.aud) ? claims.aud.filter((one) => typeof one === 'string') : [];
  return { subject: claims.sub, audiences, expiresAt: new Date(claims.exp * 1000).toISOString() };
}

/** The middle part, decoded; undefined where a text is no token. */
export function claimsText(text: string): string | undefined {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(text.trim()) ?? [];
  return payload === undefined ? undefined : Buffer.from(payload, 'base64url').toString('utf8');
}

function claimsOf(text: string): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(claimsText(text) ?? '');
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
