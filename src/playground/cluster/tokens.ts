import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { MeshError } from '../../mesh/errors.ts';
import { message } from '../../mesh/messages.ts';
import { Secret } from '../../mesh/secret.ts';
import type { Clock, IssuedToken, ObjectRef, TokenAccount, TokenRequest } from '../../mesh/ports.ts';
import type { ObjectStore } from './store.ts';

/** The API server gives no token for less. */
const SHORTEST_SECONDS = 600;

export type TokenReview =
  | { readonly ok: true; readonly namespace: string; readonly account: string }
  | { readonly ok: false; readonly why: 'malformed' | 'signature' | 'expired' | 'audience' | 'account' };

/** TokenRequest and TokenReview of one cluster: a token counts as long as it lives and the very account it was given for is there. */
export class TokenIssuer {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Throws `kube.not-found` where there is no such account, `kube.invalid` for a life that is too short. */
  issue(account: TokenAccount, { audiences, expirationSeconds }: TokenRequest): IssuedToken {
    const uid = this.#uidOf(account);
    const { namespace, name } = account;
    if (uid === undefined)
      throw new MeshError({
        code: 'kube.not-found',
        userMessage: message('playground.not-found', { kind: 'ServiceAccount', name: `${namespace}/${name}` }),
      });
    if (expirationSeconds < SHORTEST_SECONDS)
      throw new MeshError({
        code: 'kube.invalid',
        kind: 'bad-input',
        userMessage: message('playground.invalid', {
          kind: 'TokenRequest',
          name,
          problem: `spec.expirationSeconds: Invalid value: ${expirationSeconds}: may not specify a duration less than 10 minutes`,
        }),
      });
    const issued = Math.floor(this.#clock.now().getTime() / 1000);
    const expires = issued + expirationSeconds;
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      aud: audiences,
      exp: expires,
      iat: issued,
      'kubernetes.io': { namespace, serviceaccount: { name, uid } },
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    const token = `${signed}.${this.#sign(signed).toString('base64url')}`;
    return { token: new Secret(token), expiresAt: new Date(expires * 1000).toISOString() };
  }

  review(token: string, audience: string): TokenReview {
    const [, signed = '', payload = '', signature = ''] = /^([\w-]+\.([\w-]+))\.([\w-]+)$/.exec(token.trim()) ?? [];
    if (signed === '') return { ok: false, why: 'malformed' };
    const [given, own] = [Buffer.from(signature, 'base64url'), this.#sign(signed)];
    if (given.length !== own.length || !timingSafeEqual(given, own)) return { ok: false, why: 'signature' };
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as {
      readonly aud: readonly string[];
      readonly exp: number;
      readonly 'kubernetes.io': { readonly namespace: string; readonly serviceaccount: { readonly name: string; readonly uid: string } };
    };
    if (claims.exp * 1000 <= this.#clock.now().getTime()) return { ok: false, why: 'expired' };
    if (!claims.aud.includes(audience)) return { ok: false, why: 'audience' };
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    if (this.#uidOf({ namespace, name: serviceaccount.name }) !== serviceaccount.uid) return { ok: false, why: 'account' };
    return { ok: true, namespace, account: serviceaccount.name };
  }

  #uidOf({ namespace, name }: TokenAccount): string | undefined {
    const ref: ObjectRef = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
    return this.#store.get(ref)?.metadata.uid;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
