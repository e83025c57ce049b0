// The lab's kubeconfig: context `lab` for its administrator, `lab-old` for the same through the API server of an older age, `lab-viewer` for one who may only read.
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { LabAddresses } from './addresses.ts';
import { API_PORT, OLD_API_PORT } from './addresses.ts';

export const CONTEXT = 'lab';
export const OLD_CONTEXT = 'lab-old';
export const VIEWER_CONTEXT = 'lab-viewer';

/** Writes the file, mode 0600, certificates and keys in it, so that it can be copied to anywhere. */
export async function writeKubeconfig(file: string, pki: string, addresses: LabAddresses): Promise<void> {
  const data = async (name: string) => (await readFile(path.join(pki, name))).toString('base64');
  const authority = await data('ca.crt');
  const cluster = (name: string, port: number) => ({
    name,
    cluster: { server: `https://${addresses.apiServer}:${port}`, 'certificate-authority-data': authority },
  });
  const user = async (name: string, certificate: string) => ({
    name,
    user: { 'client-certificate-data': await data(`${certificate}.crt`), 'client-key-data': await data(`${certificate}.key`) },
  });
  const context = (name: string, target: string, as: string) => ({ name, context: { cluster: target, user: as } });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': CONTEXT,
    clusters: [cluster('lab', API_PORT), cluster('lab-old', OLD_API_PORT)],
    users: [await user('lab-admin', 'admin'), await user('lab-viewer', 'viewer')],
    contexts: [
      context(CONTEXT, 'lab', 'lab-admin'),
      context(OLD_CONTEXT, 'lab-old', 'lab-admin'),
      context(VIEWER_CONTEXT, 'lab', 'lab-viewer'),
    ],
  };
  await writeFile(`${file}.new`, stringify(config), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
