import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, IssuedToken, TokenAccount, TokenRequest } from '../mesh/ports.ts';
import { Secret } from '../mesh/secret.ts';
import { filledTextAt, recordAt } from './json.ts';
import type { Transport } from './transport.ts';

/** TokenRequest of a service account (authentication.k8s.io/v1, the subresource `serviceaccounts/token`). Throws `kube.server` where the answer holds no token. */
export async function createToken(
  transport: Transport,
  { namespace, name }: TokenAccount,
  { audiences, expirationSeconds }: TokenRequest,
  options?: CallOptions,
): Promise<IssuedToken> {
  const answer = await transport.json(
    {
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, expirationSeconds } },
      target: { verb: 'create', resource: 'serviceaccounts/token', namespace, name },
    },
    options,
  );
  const status = recordAt(answer, 'status');
  const token = filledTextAt(status, 'token');
  const expiresAt = filledTextAt(status, 'expirationTimestamp');
  if (token === undefined || expiresAt === undefined)
    throw new MeshError({ code: 'kube.server', userMessage: message('kube.no-token', { account: `${namespace}/${name}` }) });
  return { token: new Secret(token), expiresAt };
}
