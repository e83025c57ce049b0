// The cluster's own programs, the real ones: how etcd, kube-apiserver, kube-controller-manager, kube-proxy and CoreDNS are run in a lab.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { LabAddresses } from './addresses.ts';
import { API_PORT, SERVICE_CIDR } from './addresses.ts';
import { CONTEXT } from './kubeconfig.ts';
import type { LabPaths } from './names.ts';
import type { ManagedProcess } from './process.ts';
import type { ClusterBinaries } from './toolchain/binaries.ts';

export const NODE_NAME = 'lab';

const CONTROLLERS = [
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'root-ca-certificate-publisher-controller',
  'clusterrole-aggregation-controller',
];

/** etcd and the API server: what everything else needs. */
export function apiProcesses(paths: LabPaths, addresses: LabAddresses, binaries: ClusterBinaries): ManagedProcess[] {
  const pki = (name: string) => path.join(paths.pki, name);
  const etcd = 'http://127.0.0.1:2379';
  return [
    {
      name: 'etcd',
      netns: 'cluster',
      argv: [
        binaries.etcd,
        '--data-dir',
        path.join(paths.state, 'etcd'),
        '--listen-client-urls',
        etcd,
        '--advertise-client-urls',
        etcd,
        '--listen-peer-urls',
        'http://127.0.0.1:2380',
        '--unsafe-no-fsync',
        '--log-level',
        'warn',
      ],
    },
    {
      name: 'kube-apiserver',
      netns: 'cluster',
      argv: [
        binaries['kube-apiserver'],
        `--etcd-servers=${etcd}`,
        `--bind-address=${addresses.apiServer}`,
        `--advertise-address=${addresses.apiServer}`,
        `--secure-port=${API_PORT}`,
        `--tls-cert-file=${pki('apiserver.crt')}`,
        `--tls-private-key-file=${pki('apiserver.key')}`,
        `--client-ca-file=${pki('ca.crt')}`,
        '--authorization-mode=RBAC',
        `--service-cluster-ip-range=${SERVICE_CIDR}`,
        `--service-account-key-file=${pki('sa.pub')}`,
        `--service-account-signing-key-file=${pki('sa.key')}`,
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        '--allow-privileged=true',
        // The proxy for the older age authenticates its users itself and names them by these headers.
        `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
        '--requestheader-allowed-names=old-api-server',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        // What a busy cluster needs; of a lab with a handful of clients it takes most of the processor while nobody asks for anything.
        '--watch-cache=false',
        '--enable-priority-and-fairness=false',
        '--feature-gates=APIServerIdentity=false,SizeBasedListCostEstimate=false',
      ],
      ready: { url: `https://${addresses.apiServer}:${API_PORT}/readyz` },
    },
  ];
}

/** What routes and resolves: needs the API server, and kube-proxy needs the node object. */
export function routingProcesses(paths: LabPaths, addresses: LabAddresses, binaries: ClusterBinaries): ManagedProcess[] {
  return [
    {
      name: 'kube-controller-manager',
      netns: 'cluster',
      argv: [
        binaries['kube-controller-manager'],
        `--kubeconfig=${paths.kubeconfig}`,
        `--service-account-private-key-file=${path.join(paths.pki, 'sa.key')}`,
        `--root-ca-file=${path.join(paths.pki, 'ca.crt')}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
        `--controllers=${CONTROLLERS.join()}`,
      ],
    },
    {
      name: 'kube-proxy',
      netns: 'cluster',
      argv: [binaries['kube-proxy'], `--config=${path.join(paths.config, 'kube-proxy.yaml')}`],
      env: configured(kubeProxyConfig(paths, addresses)),
    },
    {
      name: 'coredns',
      netns: 'cluster',
      argv: [binaries.coredns, '-conf', path.join(paths.config, 'Corefile')],
      env: configured(corefile(paths, addresses)),
      address: addresses.pods.coredns,
      ready: { tcp: `${addresses.pods.coredns}:53` },
    },
  ];
}

// A process is started anew when its environment differs, hence also when its configuration does.
function configured(text: string): Record<string, string> {
  return { LAB_CONFIGURATION: createHash('sha256').update(text).digest('hex') };
}

/** Writes the configuration files that the processes above read. */
export async function writeClusterConfig(
  paths: LabPaths,
  addresses: LabAddresses,
  machines: readonly { name: string; address: string }[],
): Promise<void> {
  await mkdir(paths.config, { recursive: true });
  await writeIfChanged(path.join(paths.config, 'kube-proxy.yaml'), kubeProxyConfig(paths, addresses));
  await writeIfChanged(path.join(paths.config, 'Corefile'), corefile(paths, addresses));
  await writeIfChanged(path.join(paths.config, 'lab.internal.zone'), '@ 5 IN SOA ns hostmaster 1 60 60 60 5\n@ 5 IN NS ns\n');
  await writeIfChanged(path.join(paths.config, 'hosts'), machines.map(({ name, address }) => `${address} ${name}.lab.internal\n`).join(''));
}

function kubeProxyConfig(paths: LabPaths, addresses: LabAddresses): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: NODE_NAME,
    clusterCIDR: addresses.podSubnet,
    clientConnection: { kubeconfig: paths.kubeconfig },
    conntrack: { maxPerCore: 0 },
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    nftables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
  });
}

// The last two are the machines' name server, as a cloud's network has one: it knows the machines and nothing of the cluster.
function corefile(paths: LabPaths, { pods, router }: LabAddresses): string {
  return `cluster.local:53 in-addr.arpa:53 {
  bind ${pods.coredns}
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${paths.kubeconfig} ${CONTEXT}
  }
}
.:53 {
  bind ${pods.coredns}
  errors
  forward . ${router}
}
lab.internal:53 {
  bind ${router}
  errors
  hosts ${path.join(paths.config, 'hosts')} {
    reload 1s
    fallthrough
  }
  # hosts alone calls a name it does not know a failure of the server; a cloud's says that there is none (template would answer before hosts).
  file ${path.join(paths.config, 'lab.internal.zone')}
}
.:53 {
  bind ${router}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}

// kube-proxy ends itself when its configuration file is touched.
async function writeIfChanged(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFile(file, text);
}
