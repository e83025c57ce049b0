// How the stand-ins run in a lab: one process per "pod", each on its own address of the bridge.
import path from 'node:path';
import type { LabAddresses } from '../addresses.ts';
import type { ManagedProcess } from '../process.ts';
import type { StandinBinaries } from './build.ts';

/** Port of the stand-in for the release site, on the cluster's router address. */
export const RELEASES_PORT = 8000;

export interface StandinEnvironment {
  /** Absolute path of an administrator's kubeconfig. */
  kubeconfig: string;
  addresses: LabAddresses;
  /** Namespace of the control plane; default istio-system. */
  namespace?: string;
  /** Trust domain of the identities; default cluster.local. */
  trustDomain?: string;
  /** NONE leaves 15011 out, as a control plane without controlPlaneSecurityEnabled does; default MUTUAL_TLS. */
  controlPlaneAuth?: 'MUTUAL_TLS' | 'NONE';
  /** Lifetimes as Go durations (`90m`, `2160h`); defaults as in facts 6: 2160h for certificates, 8760h for the root. */
  certificateLifetime?: string;
  rootLifetime?: string;
  /** The longest lifetime a node agent may ask for; default 2160h. */
  longestLifetime?: string;
}

/** Citadel first: Pilot's own certificate comes from it. All run in the cluster's namespace; Citadel waits for its namespace to exist. */
export function standinProcesses(environment: StandinEnvironment, binaries: StandinBinaries): ManagedProcess[] {
  const { kubeconfig, addresses, namespace = 'istio-system', trustDomain = 'cluster.local' } = environment;
  const { pods } = addresses;
  return [
    {
      name: 'citadel',
      netns: 'cluster',
      address: pods.citadel,
      ready: { tcp: `${pods.citadel}:8060` },
      argv: [
        binaries.citadel,
        `--kube-config=${kubeconfig}`,
        `--address=${pods.citadel}`,
        `--citadel-storage-namespace=${namespace}`,
        `--trust-domain=${trustDomain}`,
        `--workload-cert-ttl=${environment.certificateLifetime ?? '2160h'}`,
        `--max-workload-cert-ttl=${environment.longestLifetime ?? '2160h'}`,
        `--self-signed-ca-cert-ttl=${environment.rootLifetime ?? '8760h'}`,
      ],
    },
    {
      name: 'pilot',
      netns: 'cluster',
      address: pods.pilot,
      ready: { url: `http://${pods.pilot}:8080/ready` },
      argv: [
        binaries.pilot,
        `--kubeconfig=${kubeconfig}`,
        `--address=${pods.pilot}`,
        `--namespace=${namespace}`,
        `--trust-domain=${trustDomain}`,
        `--mutual-tls=${environment.controlPlaneAuth !== 'NONE'}`,
      ],
    },
    {
      name: 'mixer',
      netns: 'cluster',
      address: pods.mixer,
      ready: { tcp: `${pods.mixer}:15004` },
      argv: [binaries.mixer, `--address=${pods.mixer}`],
    },
    releasesProcess(addresses, binaries, binaries.releases),
  ];
}

/** The stand-in for the release site, serving this directory on the router's address. */
export function releasesProcess({ router }: LabAddresses, { fileserver }: StandinBinaries, directory: string): ManagedProcess {
  const address = `${router}:${RELEASES_PORT}`;
  return {
    name: 'releases',
    netns: 'cluster',
    ready: { tcp: address },
    argv: [fileserver, `--address=${address}`, `--directory=${path.resolve(directory)}`],
  };
}
