import type { X509Certificate, KeyObject } from 'node:crypto';
import type { GeneratedFile } from '../model.ts';
import { sha256 } from '../hash.ts';
import type { CallOptions, ClusterApi, HostState, KubeObject, ObjectRef, RemoteFile } from '../ports.ts';
import { Secret } from '../secret.ts';
import { certificateFacts, keyFacts, leadsToRoot, parseCertificates, parsePrivateKey, uriNames } from '../pem.ts';
import { pairFits } from '../host/keyPair.ts';
import { problem, refName } from '../problem.ts';
import type { ReleaseFacts } from './releases.ts';
import { isMissing } from '../cluster/missing.ts';
import { at } from '../cluster/untrusted.ts';

/** Part of its life below which a certificate is no longer believed to be renewed: the node agent does so at half of it (facts 6). */
const LEFT_PART = 0.25;

export const CERTS_DIR = '/etc/certs';
export const CERT_CHAIN = `${CERTS_DIR}/cert-chain.pem`;
export const KEY = `${CERTS_DIR}/key.pem`;
export const ROOT_CERT = `${CERTS_DIR}/root-cert.pem`;

/** Identity of a VM: the namespace and service account its certificate must be for. */
export interface Identity {
  readonly namespace: string;
  readonly serviceAccount: string;
}

export interface Credentials {
  readonly ref: ObjectRef;
  readonly chain: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  readonly key: KeyObject;
  readonly roots: readonly X509Certificate[];
  readonly bytes: Readonly<Record<'cert-chain.pem' | 'key.pem' | 'root-cert.pem', Uint8Array>>;
}

/** The Secret that Citadel writes for a service account (citadel facts 6). */
export function secretRef({ namespace, serviceAccount }: Identity): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: `istio.${serviceAccount}` };
}

/**
 * Key and certificates of an identity, examined before they are given to a machine. The scripts copy whatever is there, 0-byte files included (citadel facts 1.3).
 * Throws `citadel.namespace-missing`, `citadel.account-missing`, `citadel.secret-missing`, and `citadel.secret-invalid` with what is wrong.
 */
export async function readCredentials(api: ClusterApi, identity: Identity, now: Date, options: CallOptions = {}): Promise<Credentials> {
  const secret = await api.get(secretRef(identity), options);
  if (secret === undefined) throw await whyMissing(api, identity, options);
  return parseCredentials(secret, identity, now);
}

async function whyMissing(api: ClusterApi, identity: Identity, options: CallOptions): Promise<Error> {
  const { namespace, serviceAccount } = identity;
  const args = { namespace, serviceAccount, name: refName(secretRef(identity)) };
  if (await isMissing(api, { apiVersion: 'v1', kind: 'Namespace', name: namespace }, options))
    return problem('citadel.namespace-missing', args, { field: 'namespace' });
  if (await isMissing(api, { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: serviceAccount }, options))
    return problem('citadel.account-missing', args, { field: 'serviceAccount' });
  return problem('citadel.secret-missing', args);
}

export function parseCredentials(secret: KubeObject, identity: Identity, now: Date): Credentials {
  const ref = secretRef(identity);
  const name = refName(ref);
  const wrong = (rule: string, args: Record<string, string | number> = {}): Error =>
    problem(
      'citadel.secret-invalid',
      { name, secret: ref.name, namespace: identity.namespace, ...args },
      { id: `citadel.secret-invalid.${rule}` },
    );
  const data = (key: string): Uint8Array => {
    const value = at(secret, 'data', key);
    if (typeof value !== 'string' || value === '') throw wrong('empty', { key });
    if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(value)) throw wrong('base64', { key });
    return Buffer.from(value, 'base64');
  };
  const bytes = { 'cert-chain.pem': data('cert-chain.pem'), 'key.pem': data('key.pem'), 'root-cert.pem': data('root-cert.pem') };
  const chain = attempt(() => parseCertificates(text(bytes['cert-chain.pem']))) ?? [];
  const roots = attempt(() => parseCertificates(text(bytes['root-cert.pem']))) ?? [];
  const [leaf, ...others] = chain;
  if (leaf === undefined) throw wrong('pem', { key: 'cert-chain.pem' });
  if (roots.length === 0) throw wrong('pem', { key: 'root-cert.pem' });
  const key = attempt(() => parsePrivateKey(text(bytes['key.pem'])));
  if (key === undefined) throw wrong('pem', { key: 'key.pem' });
  if (!leaf.checkPrivateKey(key)) throw wrong('key');
  const uris = uriNames(leaf);
  const path = `/ns/${identity.namespace}/sa/${identity.serviceAccount}`;
  if (!uris.some((uri) => /^spiffe:\/\/[^/]+(\/.*)$/.exec(uri)?.[1] === path))
    throw wrong('identity', { wanted: path, found: uris.join(', ') });
  if (now.getTime() > new Date(leaf.validTo).getTime()) throw wrong('expired', { time: new Date(leaf.validTo).toISOString() });
  if (now.getTime() < new Date(leaf.validFrom).getTime()) throw wrong('not-yet', { time: new Date(leaf.validFrom).toISOString() });
  if (!leadsToRoot(leaf, others, roots)) throw wrong('chain');
  if (roots.every((root) => now.getTime() > new Date(root.validTo).getTime()))
    throw wrong('root-expired', { time: new Date(roots[0]?.validTo ?? 0).toISOString() });
  return { ref, chain, leaf, key, roots, bytes };
}

/**
 * The three files of /etc/certs (citadel facts 2.4). A certificate that the VM's node agent keeps fresh is accepted in place of the Secret's:
 * copying the Secret over it, as the scripts do, would only take the machine back (facts 2.4, 6).
 */
export function certificateFiles(
  facts: ReleaseFacts,
  credentials: Credentials,
  now: Date,
  state: HostState | undefined,
): readonly GeneratedFile[] {
  const kept = keptByNodeAgent(credentials, now, state);
  const file = (path: string, mode: number, bytes: Uint8Array, shown: GeneratedFile['content'] & { kind: 'secret' }): GeneratedFile => ({
    path,
    mode,
    owner: 'istio-proxy',
    group: 'root',
    content: { ...shown, secret: new Secret(bytes) },
    readBy: [facts.units.nodeAgent, facts.units.sidecar],
    editable: false,
    ...(path !== ROOT_CERT && kept ? { accepts: acceptedHash(state, path) } : {}),
  });
  const { bytes, leaf, key, roots } = credentials;
  const secret = (shown: ReturnType<typeof certificateFacts> | undefined): GeneratedFile['content'] & { kind: 'secret' } => ({
    kind: 'secret',
    secret: new Secret(''),
    facts: shown,
  });
  return [
    file(ROOT_CERT, 0o644, bytes['root-cert.pem'], secret(roots[0] === undefined ? undefined : certificateFacts(roots[0]))),
    file(CERT_CHAIN, 0o644, bytes['cert-chain.pem'], secret(certificateFacts(leaf))),
    file(KEY, 0o600, bytes['key.pem'], secret(keyFacts(key, leaf))),
  ];
}

/**
 * The VM's own certificate is of the same identity, under the same root, and fresh enough that the node agent evidently keeps it so. It need not be newer
 * than the Secret's: Citadel renews that on its own, and the VM does not follow (facts 6). Key and chain must have been changed together.
 */
function keptByNodeAgent({ leaf, bytes }: Credentials, now: Date, state: HostState | undefined): boolean {
  const of = (path: string): RemoteFile | undefined => state?.files.find((file) => file.path === path);
  const [chain, key] = [of(CERT_CHAIN), of(KEY)];
  if (chain?.certificate === undefined || key?.certificate === undefined) return false;
  if (state !== undefined && pairFits(state, CERT_CHAIN, KEY) === false) return false;
  const sameRoot = of(ROOT_CERT)?.sha256 === sha256(bytes['root-cert.pem']);
  const sameIdentity = uriNames(leaf).every((uri) => chain.certificate?.uris.includes(uri) === true);
  const begins = Date.parse(chain.certificate.notBefore);
  const ends = Date.parse(chain.certificate.notAfter);
  const fresh = begins <= now.getTime() && ends - now.getTime() > LEFT_PART * (ends - begins);
  return sameRoot && sameIdentity && fresh && isChanged(chain, bytes['cert-chain.pem'], state) && isChanged(key, bytes['key.pem'], state);
}

/** Neither what the Secret has nor what was pushed: were only one of the two so, they would not belong together. */
function isChanged({ path, sha256: found }: RemoteFile, wanted: Uint8Array, state: HostState | undefined): boolean {
  const pushed = state?.manifest?.files.find((file) => file.path === path)?.sha256;
  return found !== sha256(wanted) && found !== pushed;
}

function acceptedHash(state: HostState | undefined, path: string): readonly string[] {
  const hash = state?.files.find((file) => file.path === path)?.sha256;
  return hash === undefined ? [] : [hash];
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
