import { z } from 'zod';
import type { TokenFacts } from '../mesh/model.ts';

const claimsSchema = z.object({
  sub: z.string().max(1024),
  aud: z.union([z.string().max(1024), z.array(z.string().max(1024)).max(32)]).optional(),
  exp: z.number(),
});

/** What a service account's token claims, from the base64url of its middle part (RFC 7519). Undefined for anything else that a file may hold. */
export function tokenFacts(claims: string | undefined): TokenFacts | undefined {
  if (claims === undefined || claims === '') return undefined;
  try {
    const { sub, aud = [], exp } = claimsSchema.parse(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')));
    return { subject: sub, audiences: typeof aud === 'string' ? [aud] : aud, expiresAt: new Date(exp * 1000).toISOString() };
  } catch {
    return undefined;
  }
}
