// Mutual TLS and nothing else in the namespace of the machines, and a caller outside of the mesh that feels it.
import type { Lab } from '../env.ts';

const STRICT = {
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: 'default', namespace: 'vm' },
  spec: { mtls: { mode: 'STRICT' } },
};

/** What a sidecar that wants TLS makes of plaintext: curl's empty reply, or connection reset. */
const REFUSED = [52, 56];

export async function applyStrictMtls(lab: Lab): Promise<void> {
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(STRICT) });
}

/** Plain HTTP to the machine from the cluster's network, where no sidecar is, as from any plain pod. `refused`: by the machine's sidecar. */
export async function plaintext(lab: Lab, machine: string, port: number): Promise<{ readonly stdout: string; readonly refused: boolean }> {
  const argv = ['curl', '-sS', '--max-time', '5', `http://${lab.machine(machine).address}:${port}/`] as const;
  const { code, stdout } = await lab.inCluster([...argv], { tolerant: true });
  return { stdout, refused: REFUSED.includes(code) };
}
