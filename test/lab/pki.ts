// The lab's keys and certificates, made with openssl: a cluster CA, the API server's and users' certificates, a front-proxy CA, the service accounts' key.
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { LabAddresses } from './addresses.ts';
import { API_CLUSTER_IP } from './addresses.ts';
import { run } from './toolchain/run.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'] as const;
const DAYS = ['-days', '3650'] as const;

/** A user of the cluster: certificate name, user name, group. */
export const USERS = {
  admin: '/O=system:masters/CN=lab-admin',
  viewer: '/O=lab-viewers/CN=lab-viewer',
} as const;

/** Fills the directory; what is already complete is kept. */
export async function makePki(directory: string, addresses: LabAddresses): Promise<void> {
  const complete = path.join(directory, 'complete');
  if (
    await access(complete).then(
      () => true,
      () => false,
    )
  )
    return;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = (name: string) => path.join(directory, name);
  const authority = (name: string, subject: string) =>
    run(['openssl', 'req', '-x509', ...KEY, ...DAYS, '-subj', subject, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]);
  const certificate = (name: string, subject: string, issuer: string, ...extensions: string[]) =>
    run([
      'openssl',
      'req',
      '-x509',
      ...KEY,
      ...DAYS,
      '-subj',
      subject,
      '-CA',
      file(`${issuer}.crt`),
      '-CAkey',
      file(`${issuer}.key`),
      ...['basicConstraints=critical,CA:FALSE', ...extensions].flatMap((extension) => ['-addext', extension]),
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.crt`),
    ]);

  await Promise.all([authority('ca', '/CN=lab-ca'), authority('front-proxy-ca', '/CN=lab-front-proxy-ca')]);
  const names = [
    'IP:127.0.0.1',
    `IP:${addresses.apiServer}`,
    `IP:${API_CLUSTER_IP}`,
    'DNS:localhost',
    'DNS:kubernetes.default.svc',
    'DNS:kubernetes.default.svc.cluster.local',
  ];
  const client = 'extendedKeyUsage=clientAuth';
  await Promise.all([
    certificate('apiserver', '/CN=kube-apiserver', 'ca', 'extendedKeyUsage=serverAuth', `subjectAltName=${names.join()}`),
    certificate('admin', USERS.admin, 'ca', client),
    certificate('viewer', USERS.viewer, 'ca', client),
    certificate('front-proxy', '/CN=old-api-server', 'front-proxy-ca', client),
    run(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', file('sa.key')]).then(() =>
      run(['openssl', 'pkey', '-in', file('sa.key'), '-pubout', '-out', file('sa.pub')]),
    ),
  ]);
  await run(['touch', complete]);
}
