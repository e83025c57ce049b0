import { createHash, createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { CertificateFacts } from './model.ts';

/** Certificates and keys as PEM: parsing, and what may be shown of them. */

/** Every certificate of a PEM text in order. Throws where a block is no certificate. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((block) => new X509Certificate(block));
}

/** Throws where the text is no private key. */
export function parsePrivateKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}

/** URI SANs, e.g. `spiffe://cluster.local/ns/vm/sa/default`. */
export function uriNames(certificate: X509Certificate): readonly string[] {
  return (certificate.subjectAltName ?? '')
    .split(/, (?=[A-Za-z ]+:)/)
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length).replace(/^"(.*)"$/, '$1'));
}

/** A way from the leaf over the other certificates to one of the roots, each signed by the next (citadel facts 6: leaf + CA chain, own root). */
export function leadsToRoot(leaf: X509Certificate, others: readonly X509Certificate[], roots: readonly X509Certificate[]): boolean {
  const left = [...others];
  let current = leaf;
  for (;;) {
    const subject = current;
    const signed = (by: X509Certificate): boolean => subject.checkIssued(by) && subject.verify(by.publicKey);
    if (roots.some(signed)) return true;
    const next = left.findIndex(signed);
    const found = left.splice(next, next < 0 ? 0 : 1)[0];
    if (found === undefined) return false;
    current = found;
  }
}

export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  return {
    // Node gives undefined for an empty name; the subject is empty in what Citadel writes (citadel facts 10).
    subject: ((certificate.subject as string | undefined) ?? '').replaceAll('\n', ', '),
    issuer: ((certificate.issuer as string | undefined) ?? '').replaceAll('\n', ', '),
    uris: uriNames(certificate),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    fingerprint: certificate.fingerprint256,
    publicKey: publicFingerprint(certificate.publicKey),
  };
}

/** What may be shown of a key: the life of the certificate it belongs to, and the fingerprint of its public half. A key names no identity. */
export function keyFacts(key: KeyObject, certificate: X509Certificate): CertificateFacts {
  return { ...certificateFacts(certificate), uris: [], fingerprint: publicFingerprint(createPublicKey(key)) };
}

function publicFingerprint(key: KeyObject): string {
  const hex = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .toUpperCase();
  return hex.match(/../g)?.join(':') ?? hex;
}

/** A public key as PEM, always written the same; undefined where the text is none. */
export function publicKeyPem(key: KeyObject | string): string | undefined {
  try {
    return (typeof key === 'string' ? createPublicKey(key) : key).export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    return undefined;
  }
}
