// What `lab env` prints.
import type { Lab } from './env.ts';

/** The lab's places and addresses, without its functions. */
export function environmentJson(lab: Lab): Record<string, unknown> {
  return Object.fromEntries(Object.entries(lab).filter(([, value]) => typeof value !== 'function'));
}

/** Lines for `eval "$(npm run --silent lab -- env)"`. */
export function shellExports(lab: Lab): string {
  const pods = Object.entries(lab.addresses.pods).map(([name, address]): [string, string] => [
    `MESH_LAB_POD_${name.toUpperCase()}`,
    String(address),
  ]);
  const variables: [string, string][] = [
    ['KUBECONFIG', lab.kubeconfig],
    [lab.istio === 'istiod' ? 'MESH_ISTIOD_LAB' : 'MESH_LAB', lab.name],
    ['MESH_LAB_ISTIO', lab.istio],
    ['MESH_LAB_KUBECTL', lab.kubectlBinary],
    ...(lab.istio === 'istiod' ? [['MESH_LAB_ISTIOCTL', lab.istioctlBinary] satisfies [string, string]] : []),
    ['MESH_LAB_SIDECAR_PACKAGE', lab.sidecarPackage],
    ['MESH_LAB_SIDECAR_PACKAGE_URL', lab.sidecarPackageUrl],
    ['MESH_LAB_NEWER_SIDECAR_PACKAGE', lab.newerSidecarPackage],
    ['MESH_LAB_NEWER_SIDECAR_PACKAGE_URL', lab.newerSidecarPackageUrl],
    ['MESH_LAB_API_SERVER', lab.apiServer],
    ['MESH_LAB_OLD_API_SERVER', lab.oldApiServer],
    ['MESH_LAB_SERVICE_CIDR', lab.serviceCidr],
    ['MESH_LAB_NETNS', lab.netns],
    ['MESH_LAB_STATE', lab.stateDirectory],
    ['MESH_LAB_SSH_CONFIG', lab.sshConfig],
    ['MESH_LAB_KNOWN_HOSTS', lab.knownHosts],
    ['MESH_LAB_SSH_KEY', lab.sshKey],
    ['MESH_LAB_MACHINES', lab.machines.map(({ name }) => name).join(' ')],
    ...lab.machines.map(({ name, address }): [string, string] => [`MESH_LAB_${name.toUpperCase().replace('-', '_')}`, address]),
    ...pods,
  ];
  return variables.map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`).join('');
}
