// A real east-west gateway: Istio's agent as a router and Envoy, in a network namespace of their own, as the pod has them.
// Whether 15012 answers is decided by the Gateway and VirtualService that istiod finds, as in any cluster; the lab makes neither.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabAddresses } from '../addresses.ts';
import type { LabPaths } from '../names.ts';
import type { ManagedProcess } from '../process.ts';
import { runGo } from '../toolchain/run.ts';
import { CLUSTER_ID, GATEWAY_ACCOUNT, GATEWAY_LABELS, ISTIO_NAMESPACE } from './manifest.ts';

export const GATEWAY = 'eastwestgateway';
/** The pod's network namespace and its link in the cluster's. */
export const GATEWAY_POD = 'eastwest';

export interface GatewayPrograms {
  kubectl: string;
  pilotAgent: string;
  envoy: string;
  /** Istio's own Envoy bootstrap template. */
  bootstrap: string;
}

/** How the gateway runs; ready once it has its certificate and its configuration from istiod. */
export function gatewayProcess(paths: LabPaths, { pods }: LabAddresses, { pilotAgent, envoy }: GatewayPrograms): ManagedProcess {
  const folder = gatewayFolder(paths);
  const [app, address] = [GATEWAY_LABELS.app, pods.eastwestgateway];
  const proxyConfig = {
    // The name does not resolve outside a pod. CA_ADDR must stay unset: the agent uses ISTIOD_SAN for the CA only when that is the discovery address.
    discoveryAddress: `${pods.istiod}:15012`,
    binaryPath: envoy,
    configPath: './etc/istio/proxy',
    concurrency: 1,
  };
  return {
    name: GATEWAY,
    netns: { pod: GATEWAY_POD },
    ready: { url: `http://${address}:15021/healthz/ready` },
    env: {
      POD_NAME: `${app}-lab`,
      POD_NAMESPACE: ISTIO_NAMESPACE,
      INSTANCE_IP: address,
      SERVICE_ACCOUNT: GATEWAY_ACCOUNT,
      PILOT_CERT_PROVIDER: 'istiod',
      ISTIOD_SAN: `istiod.${ISTIO_NAMESPACE}.svc`,
      TRUST_DOMAIN: 'cluster.local',
      PROXY_CONFIG: JSON.stringify(proxyConfig),
      ISTIO_BOOTSTRAP: path.join(folder, 'envoy_bootstrap_tmpl.json'),
      ISTIO_META_CLUSTER_ID: CLUSTER_ID,
      ISTIO_META_MESH_ID: 'cluster.local',
      ISTIO_META_WORKLOAD_NAME: app,
      ISTIO_META_UNPRIVILEGED_POD: 'true',
      ISTIO_METAJSON_LABELS: JSON.stringify(GATEWAY_LABELS),
    },
    argv: [
      'env',
      `--chdir=${folder}`,
      pilotAgent,
      'proxy',
      'router',
      ...['--domain', `${ISTIO_NAMESPACE}.svc.cluster.local`],
      ...['--proxyLogLevel=warning', '--proxyComponentLogLevel=misc:error', '--log_output_level=default:info'],
    ],
  };
}

/** Gives the gateway what a kubelet mounts into its pod: a token of its account and the mesh's root certificate. istiod must be ready. */
export async function furnishGateway(paths: LabPaths, { kubectl, bootstrap }: GatewayPrograms): Promise<void> {
  const at = (...parts: string[]) => path.join(gatewayFolder(paths), ...parts);
  const ask = async (...argv: string[]) =>
    (await runGo([kubectl, '--kubeconfig', paths.kubeconfig, '-n', ISTIO_NAMESPACE, ...argv])).stdout;
  const secrets = at('var', 'run', 'secrets');
  await mkdir(path.join(secrets, 'tokens'), { recursive: true, mode: 0o700 });
  await mkdir(path.join(secrets, 'istio'), { recursive: true });
  await mkdir(at('etc', 'istio', 'proxy'), { recursive: true });
  await copyFile(bootstrap, at('envoy_bootstrap_tmpl.json'));
  await ask('wait', '--for=create', 'configmap/istio-ca-root-cert', '--timeout=30s');
  await writeFile(
    path.join(secrets, 'istio', 'root-cert.pem'),
    await ask('get', 'configmap', 'istio-ca-root-cert', '-o', String.raw`jsonpath={.data.root-cert\.pem}`),
  );
  const token = await ask('create', 'token', GATEWAY_ACCOUNT, '--audience=istio-ca', '--duration=720h');
  await writeFile(path.join(secrets, 'tokens', 'istio-token'), token.trim(), { mode: 0o600 });
}

function gatewayFolder(paths: LabPaths): string {
  return path.join(paths.state, GATEWAY);
}
