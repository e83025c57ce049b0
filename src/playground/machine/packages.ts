import type { MachineFiles } from './files.ts';

export const SIDECAR_PACKAGE = 'istio-sidecar';

/** Tools of the machine's own distribution that installTools may ask for, with the programs that each brings. */
export const TOOLS: Readonly<Record<string, { readonly version: string; readonly programs: readonly string[] }>> = {
  dnsmasq: { version: '2.85-1', programs: ['dnsmasq'] },
  'bind9-host': { version: '1:9.16.50-1', programs: ['host'] },
  host: { version: '1:9.16.50-1', programs: ['host'] },
  curl: { version: '7.74.0-1.3', programs: ['curl'] },
  iptables: {
    version: '1.8.7-1',
    programs: [
      'iptables',
      'iptables-save',
      'iptables-legacy-save',
      'iptables-nft-save',
      'ip6tables-save',
      'ip6tables-legacy-save',
      'ip6tables-nft-save',
    ],
  },
  sudo: { version: '1.9.13p3-1', programs: ['sudo'] },
  hostname: { version: '3.23', programs: ['hostname'] },
  iproute2: { version: '5.10.0-4', programs: ['ip'] },
  procps: { version: '2:3.3.17-5', programs: ['ps'] },
};

const SIDECAR_ENV = `# Environment of the sidecar. Values given here override those of the start script.
# ISTIO_INBOUND_PORTS=
# ISTIO_SERVICE_CIDR=
# ISTIO_CP_AUTH=MUTUAL_TLS
`;

/** What dpkg and the package's postinst do on the disk for istio-sidecar 1.0.3 (citadel facts 4: deb contents). */
export function unpackSidecar(files: MachineFiles): void {
  for (const name of ['envoy', 'pilot-agent', 'node_agent', 'istio-start.sh', 'istio-iptables.sh', 'istio-node-agent-start.sh'])
    files.write(`/usr/local/bin/${name}`, '', 0o755);
  for (const unit of ['istio', 'istio-auth-node-agent'])
    files.write(`/lib/systemd/system/${unit}.service`, '[Service]\nRestart=always\nRestartSec=10\n');
  for (const directory of ['/var/lib/istio/envoy', '/var/lib/istio/proxy', '/var/lib/istio/config', '/var/log/istio', '/etc/certs'])
    files.makeDirectory(directory);
  if (!files.get('/var/lib/istio/envoy/sidecar.env')) files.write('/var/lib/istio/envoy/sidecar.env', SIDECAR_ENV, 0o644, 'istio-proxy');
  if (!files.get('/var/lib/istio/envoy/envoy_bootstrap_tmpl.json'))
    files.write('/var/lib/istio/envoy/envoy_bootstrap_tmpl.json', '{}\n', 0o644, 'istio-proxy');
}

/** Purge: programs, units and conffiles go; what the postinst made stays, as dpkg leaves it. */
export function purgeSidecar(files: MachineFiles): void {
  for (const path of files.below('/usr/local/bin')) files.set(path, undefined);
  for (const unit of ['istio', 'istio-auth-node-agent']) files.set(`/lib/systemd/system/${unit}.service`, undefined);
  for (const name of ['sidecar.env', 'envoy_bootstrap_tmpl.json']) files.set(`/var/lib/istio/envoy/${name}`, undefined);
}
