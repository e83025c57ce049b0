import { textAt } from '../cluster/untrusted.ts';
import type { Era, VmScope } from '../era.ts';
import type { GeneratedFile, ValueSource } from '../model.ts';
import type { CallOptions } from '../ports.ts';
import { problem, refName } from '../problem.ts';
import { clusterEnvFile } from './clusterEnv.ts';
import { calledHostname, gatewayAddress, gatewayHostname } from './gatewayAddress.ts';
import { groupRef, liveGroup, type LiveGroup } from './groupObject.ts';
import { hostsFile, hostsFileWithout, presentAddress } from './hosts.ts';
import { assertIstiodHere } from './limits.ts';
import { configMap, existing, readMeshData } from './meshData.ts';
import { meshFile } from './meshYaml.ts';
import { NSSWITCH, RESOLV_CONF } from './nameLookup.ts';
import { istiodHost } from './naming.ts';
import { CERT_CHAIN, HOSTS, KEY, OWNER, ROOT_CERT, TOKEN, UNIT } from './paths.ts';
import { proxyConfig } from './proxyConfig.ts';
import { networkingVersion } from './release.ts';
import { asAgentKeepsIt } from './rootCert.ts';
import { tokenFile } from './token.ts';

/** What `generate` asks of a VM that can be reached: what the hosts file holds, and what is left of its credentials. */
export const hostInputs: Era['hostInputs'] = ({ entry, controlPlane }) => {
  const hostname = gatewayHostname(entry, controlPlane);
  return {
    facts: true,
    manifest: true,
    files: [
      { path: HOSTS, want: 'text' },
      { path: ROOT_CERT, want: 'text' },
      { path: TOKEN, want: 'token' },
      { path: CERT_CHAIN, want: 'certificate' },
      { path: KEY, want: 'certificate' },
      { path: RESOLV_CONF, want: 'text' },
      { path: NSSWITCH, want: 'text' },
    ],
    ...(hostname === undefined ? {} : { resolve: [hostname] }),
  };
};

/**
 * Every file of a VM: what `istioctl x workload entry configure` writes (istiod facts 1.5-1.7), with other modes, a hosts file that is merged and never
 * empty, and a token that is made only when it is pushed. Throws `istiod.no-group`, `istiod.group-missing`, and what each file's maker throws.
 */
export async function generate(scope: VmScope, options: CallOptions = {}): Promise<readonly GeneratedFile[]> {
  assertIstiodHere(scope);
  const { entry, vm } = scope;
  const readAt = scope.ports.clock.now().toISOString();
  const [mesh, live] = await Promise.all([readMeshData(scope, options), readGroup(scope, options)]);
  const name = istiodHost(entry.istio.namespace, mesh.revision.value);
  const [hostname, root] = await Promise.all([calledHostname(scope, options), rootCertFile(scope, options)]);
  const proxy = proxyConfig(mesh, live, {
    namespace: entry.istio.namespace,
    hostname,
    autoRegister: vm.autoRegister !== false,
    captureDns: vm.captureDns !== false,
  });
  return [
    clusterEnvFile(scope, mesh, live, { proxy, hostname, readAt }),
    meshFile(mesh, proxy, readAt),
    root,
    tokenFile(scope, live.group),
    ...(await hostsFiles(scope, { name, hostname, readAt }, options)),
  ];
}

/** The hosts file; none offline where no line of it is wanted. */
async function hostsFiles(
  scope: VmScope,
  { name, hostname, readAt }: { readonly name: string; readonly hostname: ValueSource | undefined; readonly readAt: string },
  options: CallOptions,
): Promise<readonly GeneratedFile[]> {
  const { files, manifest } = scope.state ?? {};
  const onHost = files?.find(({ path }) => path === HOSTS)?.text;
  const pushed = manifest?.files.find(({ path }) => path === HOSTS)?.ownLines ?? [];
  if (hostname !== undefined) return onHost === undefined ? [] : [hostsFileWithout(pushed, onHost)];
  const address = await gatewayAddress(scope, presentAddress(onHost ?? '', name), options);
  return [hostsFile(name, { ...address, readAt }, onHost)];
}

/** The group of the VM as it is in the cluster. Throws `istiod.no-group`, `istiod.group-missing`. */
export async function readGroup({ api, vm, controlPlane }: VmScope, options?: CallOptions): Promise<LiveGroup> {
  if (vm.workloadGroup === undefined) throw problem('istiod.no-group', { vm: vm.name }, { kind: 'bad-input', field: 'workloadGroup' });
  const ref = groupRef(networkingVersion(controlPlane.release), vm.namespace, vm.workloadGroup);
  const found = await api.get(ref, options);
  if (found === undefined) throw problem('istiod.group-missing', { name: refName(ref), vm: vm.name }, { field: 'workloadGroup' });
  return liveGroup(found);
}

/** The mesh's root certificate, which istiod keeps in every namespace. */
async function rootCertFile({ api, vm, ports, state }: VmScope, options: CallOptions): Promise<GeneratedFile> {
  const ref = configMap(vm.namespace, 'istio-ca-root-cert');
  const text = textAt(await existing(api, ref, options), 'data', 'root-cert.pem');
  if (text?.includes('-----BEGIN CERTIFICATE-----') !== true) throw problem('istiod.root-cert', { name: refName(ref) });
  const source = {
    value: refName(ref),
    from: { kind: 'object', object: ref, field: 'data.root-cert.pem' },
    readAt: ports.clock.now().toISOString(),
  } as const;
  const file: GeneratedFile = {
    path: ROOT_CERT,
    mode: 0o644,
    owner: OWNER,
    group: OWNER,
    content: {
      kind: 'text',
      text,
      sources: text
        .replace(/\n$/, '')
        .split('\n')
        .map(() => [source]),
    },
    readBy: [UNIT],
    editable: false,
  };
  return asAgentKeepsIt(file, state);
}
