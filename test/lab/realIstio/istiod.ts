// The real istiod as a process of the lab, on its own address of the bridge.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabAddresses } from '../addresses.ts';
import type { LabPaths } from '../names.ts';
import type { ManagedProcess } from '../process.ts';
import { CLUSTER_ID, ISTIO_NAMESPACE } from './manifest.ts';

export const ISTIOD = 'istiod';

// The PILOT_ switches leave out what only Istio's own build of Envoy has; the grace period is short so that tests see an entry go. There is one istiod:
// its leases, renewed every two seconds, would keep the API server busy.
const ENVIRONMENT = {
  POD_NAME: 'istiod-lab',
  POD_NAMESPACE: ISTIO_NAMESPACE,
  REVISION: 'default',
  CLUSTER_ID,
  PILOT_CERT_PROVIDER: 'istiod',
  INJECT_ENABLED: 'false',
  VALIDATION_WEBHOOK_CONFIG_NAME: '',
  INJECTION_WEBHOOK_CONFIG_NAME: '',
  PILOT_WORKLOAD_ENTRY_GRACE_PERIOD: '2s',
  PILOT_ENABLE_ALPN_FILTER: 'false',
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_DISABLE_MX_ALPN: 'true',
  ENABLE_LEADER_ELECTION: 'false',
} as const;

/** How istiod runs in this lab. `env` wins over the lab's own settings: `DEFAULT_WORKLOAD_CERT_TTL`, `MAX_WORKLOAD_CERT_TTL` and the like. */
export function istiodProcess(
  paths: LabPaths,
  { pods }: LabAddresses,
  binary: string,
  env: Readonly<Record<string, string>> = {},
): ManagedProcess {
  const at = (port: number) => `${pods.istiod}:${port}`;
  return {
    name: ISTIOD,
    netns: 'cluster',
    address: pods.istiod,
    ready: { url: `http://${at(8080)}/ready` },
    env: { ...ENVIRONMENT, ...env },
    argv: [
      'env',
      `--chdir=${istiodFolder(paths)}`,
      binary,
      'discovery',
      ...['--kubeconfig', paths.kubeconfig, '--clusterID', CLUSTER_ID, '-n', ISTIO_NAMESPACE],
      ...['--meshConfig', './mesh', '--httpAddr', at(8080), '--grpcAddr', at(15010), '--secureGRPCAddr', at(15012)],
      ...['--httpsAddr', at(15017), '--monitoringAddr', at(15014), '--ctrlz_port', '0'],
    ],
  };
}

/** Writes what istiod reads where it runs. */
export async function furnishIstiod(paths: LabPaths, mesh: string): Promise<void> {
  const folder = istiodFolder(paths);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'mesh'), mesh);
}

// Its own: an agent's relative paths would meet its.
function istiodFolder(paths: LabPaths): string {
  return path.join(paths.state, ISTIOD);
}
