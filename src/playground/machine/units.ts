import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readEnv, type MachineFiles } from './files.ts';
import type { Network } from './network.ts';
import { readDnsmasq, type DnsmasqConfig, type Resolution } from './resolver.ts';

export const NODE_AGENT = 'istio-auth-node-agent';

/** How a process fares with the files it was started on: `exits` means systemd restarts it every 10 s. Log lines as the real ones print them. */
export interface Outcome {
  readonly exits: boolean;
  readonly log: readonly string[];
}

export interface UnitContext {
  readonly files: MachineFiles;
  readonly network: Network;
  readonly now: Date;
  readonly resolve: (name: string) => Resolution;
}

const fine = (...log: string[]): Outcome => ({ exits: false, log });
const dies = (...log: string[]): Outcome => ({ exits: true, log });

export function startDnsmasq(files: MachineFiles): Outcome & { readonly config?: DnsmasqConfig } {
  const config = readDnsmasq(files);
  if (config.problem !== undefined) return dies(`dnsmasq: ${config.problem}`, 'FAILED to start up');
  return { ...fine('started, version 2.85 cachesize 150', 'reading /etc/resolv.conf'), config };
}

/** istio-node-agent-start.sh and node_agent of 1.0.3; the table of citadel facts 10, row by row. */
export function startNodeAgent({ files, network, now, resolve }: UnitContext): Outcome {
  const start = ['info\tStarting Node Agent', 'info\tNode Agent starts successfully.'];
  const root = files.text('/etc/certs/root-cert.pem');
  if (root === undefined)
    return dies('fatal\tfailed to create onprem client root cert file: open /etc/certs/root-cert.pem: no such file or directory');
  const chain = files.text('/etc/certs/cert-chain.pem');
  const key = files.text('/etc/certs/key.pem');
  for (const [path, text] of [
    ['cert-chain.pem', chain],
    ['key.pem', key],
  ] as const) {
    if (text === undefined) return dies(`fatal\tfailed to load key pair: open /etc/certs/${path}: no such file or directory`);
  }
  if (chain === undefined || key === undefined) return dies();
  const keyEntry = files.get('/etc/certs/key.pem');
  if (keyEntry && keyEntry.owner !== 'istio-proxy' && (keyEntry.mode & 0o004) === 0)
    return dies('fatal\topen /etc/certs/key.pem: permission denied');
  if (!key.includes('-----BEGIN')) return dies('fatal\tcannot load key pair: tls: failed to find any PEM data in key input');
  if (!chain.includes('-----BEGIN')) return dies('fatal\tcannot load key pair: tls: failed to find any PEM data in certificate input');
  const pair = readPair(chain, key);
  if (!pair) return dies('fatal\tcannot load key pair: tls: private key does not match public key');

  const sending = 'info\tSending CSR (retrial #0) ...';
  const refused = (why: string): Outcome =>
    fine(...start, sending, `error\tCSR signing failed: rpc error: code = Unavailable desc = ${why}. Will retry in 5s`);
  const citadel = resolve('istio-citadel');
  if (citadel.kind !== 'address') return refused(`dial tcp: lookup istio-citadel on ${citadel.server}:53: no such host"`);
  const backend = network.direct(citadel.address, 8060);
  if (typeof backend === 'string')
    return refused(
      `connection error: desc = "transport: Error while dialing dial tcp ${citadel.address}:8060: connect: connection ${backend === 'timeout' ? 'timed out' : 'refused'}"`,
    );
  if (!signedBy(pair, root))
    return refused(
      'connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
    );
  const end = new Date(pair.validTo).getTime();
  if (end < now.getTime()) return refused('connection closed');
  const half = Math.max(0, Math.round((end - now.getTime()) / 2000));
  return fine(
    ...start,
    sending,
    `info\tCSR is approved successfully. Will renew cert in ${Math.floor(half / 3600)}h${Math.floor((half % 3600) / 60)}m${half % 60}s`,
  );
}

/** istio-start.sh and pilot-agent of 1.0.3: sidecar.env, then cluster.env; under MUTUAL_TLS the certificates must be there (citadel facts 4). */
export function startIstio({ files, resolve }: UnitContext): Outcome {
  const env = { ...readEnv(files.text('/var/lib/istio/envoy/sidecar.env')), ...readEnv(files.text('/var/lib/istio/envoy/cluster.env')) };
  const auth = env.ISTIO_CP_AUTH ?? 'MUTUAL_TLS';
  const namespace = env.ISTIO_SYSTEM_NAMESPACE ?? 'istio-system';
  if (auth === 'MUTUAL_TLS') {
    const missing = ['cert-chain.pem', 'key.pem', 'root-cert.pem'].filter((name) => !files.get(`/etc/certs/${name}`));
    if (missing.length > 0) return dies(`error\tproxy certificates are missing: ${missing.map((name) => `/etc/certs/${name}`).join(', ')}`);
  }
  const pilot = resolve(`istio-pilot.${namespace}`);
  if (pilot.kind !== 'address')
    return fine('info\tProxy role', `warn\tgRPC config stream closed: 14, no healthy upstream (istio-pilot.${namespace} does not resolve)`);
  return fine('info\tProxy role: sidecar', 'info\tEpoch 0 starting', 'info\tenvoy is ready');
}

function readPair(chain: string, key: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(chain);
    const own = createPublicKey(createPrivateKey(key)).export({ format: 'der', type: 'spki' });
    return certificate.publicKey.export({ format: 'der', type: 'spki' }).equals(own) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function signedBy(certificate: X509Certificate, root: string): boolean {
  try {
    return certificate.verify(new X509Certificate(root).publicKey);
  } catch {
    return false;
  }
}
