import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { CertificateFacts } from '../../mesh/model.ts';
import type { FileEntry } from './files.ts';

/** Facts of a certificate; of a private key the fingerprint of its public half. Undefined for anything else. */
export function certificateFacts(entry: FileEntry): CertificateFacts | undefined {
  const text = Buffer.from(entry.bytes).toString('utf8');
  try {
    if (text.includes('PRIVATE KEY-----')) {
      const key = createPublicKey(createPrivateKey(text)).export({ format: 'der', type: 'spki' });
      return {
        subject: '',
        issuer: '',
        uris: [],
        notBefore: '',
        notAfter: '',
        fingerprint: createHash('sha256').update(key).digest('hex'),
      };
    }
    const certificate = new X509Certificate(text);
    const uris = [...(certificate.subjectAltName ?? '').matchAll(/URI:([^,\s]+)/g)].map((match) => match[1] ?? '');
    // Node gives no subject at all where it is empty, as in Citadel's certificates.
    const subject = certificate.subject as string | undefined;
    return {
      subject: subject ?? '',
      issuer: certificate.issuer,
      uris,
      notBefore: new Date(certificate.validFrom).toISOString(),
      notAfter: new Date(certificate.validTo).toISOString(),
      fingerprint: certificate.fingerprint256,
    };
  } catch {
    return undefined;
  }
}
