import assert from 'node:assert/strict';
import { failure, serve } from './server.ts';

/** A token of the shape that is read: header, claims, signature. */
const expired = ['{"alg":"none"}', '{"exp":1000000000}', ''].map((part) => Buffer.from(part).toString('base64url')).join('.');

describe('a user of the OIDC auth provider', () => {
  it('asks the issuer when the token has expired, and says what failed there', async () => {
    const server = await serve(() => ({ body: {} }));
    try {
      // Nothing answers at port 1: what fails must be that connection, not the reading of the issuer's address.
      const config = { 'idp-issuer-url': 'https://127.0.0.1:1', 'client-id': 'mesh', 'refresh-token': 'once', 'id-token': `${expired}s` };
      const api = await server.api({ user: { 'auth-provider': { name: 'oidc', config } } });
      const error = await failure(api.version({ signal: AbortSignal.timeout(5000) }));
      assert.equal(error.code, 'kube.unauthorized');
      assert.match(String(error.userMessage.args.text), /ECONNREFUSED|fetch failed/);
      assert.deepEqual(server.asked, []);
    } finally {
      await server.close();
    }
  });
});
