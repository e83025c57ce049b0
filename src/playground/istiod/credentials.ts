import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { WorkloadCertificate } from '../certificates.ts';
import type { Machine } from '../machine/machine.ts';
import type { ControlPlane, Identity } from './controlPlane.ts';

const CHAIN = '/etc/certs/cert-chain.pem';
const KEY = '/etc/certs/key.pem';
const TOKEN = '/var/run/secrets/tokens/istio-token';

/** Log lines of the way there, and whose credential counts in the end. */
export interface Authentication {
  readonly log: readonly string[];
  readonly identity: Identity | undefined;
  /** A new certificate is to be asked for. */
  readonly wantsCertificate: boolean;
}

/** The agent's own certificate while it lives, else the token (istiod facts 0.4, 2.4). */
export function authenticate(machine: Machine, controlPlane: ControlPlane): Authentication {
  const now = machine.clock.now();
  const chain = certificateOf(machine);
  const own = chain === undefined || Date.parse(chain.validTo) <= now.getTime() ? undefined : controlPlane.identityOfCertificate(chain);
  if (chain !== undefined && own !== undefined) return { log: [], identity: own, wantsCertificate: isDue(chain, now) };
  const instead = chain === undefined ? `cannot parse the cert chain, using token instead` : 'cert expired, using token instead';
  const token = machine.files.text(TOKEN);
  if (token === undefined)
    return {
      log: [
        `warn\t${instead}`,
        `warn\tsds\tfailed to warm certificate: failed to generate workload certificate: failed to fetch token from file: open .${TOKEN}: no such file or directory`,
      ],
      identity: undefined,
      wantsCertificate: true,
    };
  const identity = controlPlane.identityOfToken(token);
  const refused =
    'warn\tsds\tfailed to warm certificate: failed to generate workload certificate: create certificate: rpc error: code = Unauthenticated desc = request authenticate failure';
  return { log: [`warn\t${instead}`, ...(identity === undefined ? [refused] : [])], identity, wantsCertificate: true };
}

/** Renewed at half of its life. */
export function renewsNow(machine: Machine): boolean {
  const chain = certificateOf(machine);
  return chain !== undefined && isDue(chain, machine.clock.now());
}

export function keepCertificate({ files }: Machine, { chain, key }: WorkloadCertificate): void {
  files.write(CHAIN, chain, 0o600, 'istio-proxy');
  files.write(KEY, key, 0o600, 'istio-proxy');
}

function isDue(chain: X509Certificate, now: Date): boolean {
  const [begins, ends] = [Date.parse(chain.validFrom), Date.parse(chain.validTo)];
  return now.getTime() >= begins + (ends - begins) / 2;
}

/** The certificate, where its key is there too. */
function certificateOf({ files }: Machine): X509Certificate | undefined {
  const [chain, key] = [files.text(CHAIN), files.text(KEY)];
  if (chain === undefined || key === undefined) return undefined;
  try {
    const certificate = new X509Certificate(chain);
    const own = createPublicKey(createPrivateKey(key)).export({ format: 'der', type: 'spki' });
    return certificate.publicKey.export({ format: 'der', type: 'spki' }).equals(own) ? certificate : undefined;
  } catch {
    return undefined;
  }
}
