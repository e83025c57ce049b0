import { execFileSync } from 'node:child_process';

const KINDS = { rsa: ['rsa:2048'], ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] } as const;

/** A certificate by openssl itself, valid from now for two days, and the public half of its key as `openssl pkey -pubout` prints it. */
export function selfSigned(
  kind: keyof typeof KINDS,
  uri = 'spiffe://cluster.local/ns/vm/sa/mysql',
): { readonly cert: string; readonly key: string } {
  const openssl = (input: string, ...args: readonly string[]): string =>
    execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
  const both = openssl(
    '',
    ...['req', '-x509', '-newkey', ...KINDS[kind], '-nodes', '-days', '2', '-subj', '/O=test', '-addext', `subjectAltName=URI:${uri}`],
    ...['-keyout', '-', '-out', '-'],
  );
  const cert = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(both)?.[0] ?? '';
  return { cert, key: openssl(both, 'pkey', '-pubout') };
}
