import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from '../mesh/ports.ts';

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
const DAY_MS = 86_400_000;

/** What a workload gets, as PEM; Citadel keeps it in a secret `istio.<sa>` (citadel facts 6). */
export interface WorkloadCertificate {
  readonly chain: string;
  readonly key: string;
  readonly root: string;
}

/** Makes the keys of the authority and of workloads; each is waited for. */
export type KeySource = () => Promise<webcrypto.CryptoKeyPair>;

/** Life of Citadel's workload certificates (citadel facts 6), and of istiod's (istiod facts 2.4). */
export const CITADEL_LIFE_MS = 90 * DAY_MS;
export const ISTIOD_LIFE_MS = DAY_MS;

/** The CA of the playground's Citadel or istiod: a self-signed root of 365 days (citadel facts 6 and 10). */
export class CertificateAuthority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #root: x509.X509Certificate;
  readonly #clock: Clock;
  readonly #lifeMs: number;
  readonly #newKeys: KeySource;

  private constructor(
    keys: webcrypto.CryptoKeyPair,
    root: x509.X509Certificate,
    { clock, lifeMs, newKeys }: { readonly clock: Clock; readonly lifeMs: number; readonly newKeys: KeySource },
  ) {
    this.#keys = keys;
    this.#root = root;
    this.#clock = clock;
    this.#lifeMs = lifeMs;
    this.#newKeys = newKeys;
  }

  get root(): string {
    return `${this.#root.toString('pem')}\n`;
  }

  static async create(clock: Clock, newKeys: KeySource, lifeMs = CITADEL_LIFE_MS): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const notBefore = clock.now();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'O=cluster.local',
      notBefore,
      notAfter: new Date(notBefore.getTime() + 365 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new CertificateAuthority(keys, root, { clock, lifeMs, newKeys });
  }

  /** Key and certificate for a service account, as Citadel and istiod issue them: empty subject, critical SPIFFE SAN, PKCS#1 key. */
  async issue(namespace: string, serviceAccount: string): Promise<WorkloadCertificate> {
    const keys = await this.#newKeys();
    const notBefore = this.#clock.now();
    const leaf = await x509.X509CertificateGenerator.create({
      subject: '',
      issuer: this.#root.subject,
      notBefore,
      notAfter: new Date(notBefore.getTime() + this.#lifeMs),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension(
          [{ type: 'url', value: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}` }],
          true,
        ),
      ],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs1' }).toString();
    return { chain: `${leaf.toString('pem')}\n`, key, root: this.root };
  }
}

/** RSA of 2048 bits, as Citadel's and istiod's are: up to half a second of a processor. */
export async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}
