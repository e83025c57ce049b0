// What the conformance cases share: waiting, and the programs they ask with. Nothing here knows how a stand-in works.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Lab } from '../../env.ts';
import { ADMIN_USER } from '../../ssh.ts';
import { run } from '../../toolchain/run.ts';
import { eventually } from '../../support/eventually.ts';

export { eventually };

/** The lab of the running suite; only there once its `before` is over. */
export type LabOf = () => Lab;

export const MACHINE = 'vm-1';

/** Runs `use` with a private directory that is gone afterwards. */
export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'standins-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Body of a GET, which must answer this status. */
export async function get(url: string, status = 200): Promise<string> {
  const { stdout } = await run(['curl', '-sS', '--max-time', '5', '-w', '\n%{http_code}', url]);
  const at = stdout.lastIndexOf('\n');
  assert.equal(stdout.slice(at + 1), String(status), `status of ${url}`);
  return stdout.slice(0, at);
}

/** Exit code of curl for a bare TCP connection that is held: 28 is accepted and silent, 7 refused, 0 closed by the other side. */
export async function connectionEnds(address: string): Promise<number> {
  return (await run(['curl', '-sS', '--max-time', '1', `telnet://${address}`], { input: '', tolerant: true })).code;
}

export interface Material {
  root: string;
  chain: string;
  key: string;
}

/** Writes the three files of a service account's secret into `directory`; waits for Citadel to have made it. */
export async function fetchMaterial(lab: Lab, namespace: string, account: string, directory: string): Promise<Material> {
  const secret = `/api/v1/namespaces/${namespace}/secrets/istio.${account}`;
  await eventually(`secret istio.${account} in ${namespace}`, async () => (await lab.find(secret)) !== undefined);
  const { data } = (await lab.read(secret)) as { data: Readonly<Record<string, string>> };
  const write = async (key: string) => {
    const file = path.join(directory, `${account}.${key}`);
    await writeFile(file, Buffer.from(data[key] ?? '', 'base64'), { mode: 0o600 });
    return file;
  };
  return { root: await write('root-cert.pem'), chain: await write('cert-chain.pem'), key: await write('key.pem') };
}

/** What `openssl x509 -noout` prints for these options. */
export async function certificate(file: string, ...options: string[]): Promise<string> {
  return (await run(['openssl', 'x509', '-in', file, '-noout', ...options])).stdout.trim();
}

/** A shell script as root on the machine, begun where its login user would. */
export async function asRoot(lab: Lab, script: string, tolerant = false): Promise<string> {
  const result = await lab.onMachine(MACHINE, ['bash', '-euc', `cd ~${ADMIN_USER}\n${script}`], { tolerant, timeout: 60_000 });
  return result.stdout.trim();
}
