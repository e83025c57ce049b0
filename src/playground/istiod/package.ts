import type { MachineFiles } from '../machine/files.ts';

const PROGRAMS = ['envoy', 'pilot-agent', 'istio-start.sh'];
const ENVOY = '/var/lib/istio/envoy';
const SIDECAR_ENV = `# Settings of the sidecar on this machine. What cluster.env says goes before.
# ISTIO_INBOUND_PORTS=
# ISTIO_AGENT_FLAGS=
`;

/** What dpkg and the package's postinst leave on the disk (istiod facts 2.1): conffiles that are there already stay as they are. */
export function unpackPackage(files: MachineFiles): void {
  for (const name of PROGRAMS) files.write(`/usr/local/bin/${name}`, '', 0o2755, 'root', 'istio-proxy');
  files.write('/lib/systemd/system/istio.service', '[Service]\nExecStart=/usr/local/bin/istio-start.sh\nRestart=always\nRestartSec=10\n');
  const own = { mode: 0o755, owner: 'istio-proxy', group: 'istio-proxy' };
  files.link('/etc/istio', '/var/lib/istio');
  for (const path of ['/var/lib/istio', ENVOY, '/var/lib/istio/proxy', '/var/lib/istio/config', '/var/log/istio', '/etc/certs'])
    files.makeDirectory(path, own);
  for (const [path, text] of [
    [`${ENVOY}/sidecar.env`, SIDECAR_ENV],
    [`${ENVOY}/envoy_bootstrap_tmpl.json`, '{}\n'],
    ['/var/lib/istio/config/mesh', ''],
  ] as const)
    if (files.get(path) === undefined) files.write(path, text, 0o644, 'istio-proxy');
}

/** Programs, unit and conffiles go; user, link, certificates and logs stay, as dpkg leaves them (istiod facts 2.1). */
export function purgePackage(files: MachineFiles): void {
  for (const name of PROGRAMS) files.set(`/usr/local/bin/${name}`, undefined);
  files.set('/lib/systemd/system/istio.service', undefined);
  for (const name of ['sidecar.env', 'envoy_bootstrap_tmpl.json']) files.set(`${ENVOY}/${name}`, undefined);
}
