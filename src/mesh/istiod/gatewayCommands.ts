import type { ClusterScope } from '../era.ts';
import type { SetupPreview } from '../mesh.ts';
import { message } from '../messages.ts';
import { commandLine } from '../shellWords.ts';
import { DEFAULT_SERVICE, gatewayRef } from './gatewayAddress.ts';
import { isRevisioned } from './naming.ts';
import { isBefore } from './release.ts';

/** How a person installs the gateway itself, which this project does not (istiod facts 3.1): Istio's own script, or its chart. */
export function gatewayCommands({ entry, controlPlane }: ClusterScope, revision: string): NonNullable<SetupPreview['commands']> {
  const { name, namespace = entry.istio.namespace } = gatewayRef(entry);
  const detail = (wanted: string): string | undefined => controlPlane.details?.find(({ id }) => id === wanted)?.value;
  const network = detail('network');
  // Before 1.12 the script asks for mesh and cluster too, and there is no chart of a gateway alone.
  const isOld = isBefore(controlPlane.release, 12);
  const mesh = detail('mesh-id') ?? detail('trust-domain') ?? 'cluster.local';
  const script = [
    'samples/multicluster/gen-eastwest-gateway.sh',
    ...(network === undefined ? ['--single-cluster'] : ['--network', network]),
    ...(network !== undefined && isOld ? ['--mesh', mesh, '--cluster', detail('cluster-id') ?? 'Kubernetes'] : []),
    ...(isRevisioned(revision) ? ['--revision', revision] : []),
  ];
  const istioctl = ['istioctl', 'install', '--context', entry.context, '-y', '-f', '-', ...renamed(name, namespace)];
  const ports = JSON.stringify(
    [
      ['status-port', 15021],
      ['tls', 15443],
      ['tls-istiod', 15012],
      ['tls-webhook', 15017],
    ].map(([port, number]) => ({ name: port, port: number, targetPort: number })),
  );
  const helm = [
    ...['helm', 'install', name, 'istio/gateway', '--kube-context', entry.context, '--namespace', namespace],
    ...['--version', controlPlane.release],
    ...['--set', `labels.app=${name}`, '--set', 'labels.istio=eastwestgateway'],
    ...(network === undefined ? ['--set-json', `service.ports=${ports}`] : ['--set', `networkGateway=${network}`]),
    ...(isRevisioned(revision) ? ['--set', `revision=${revision}`] : []),
  ];
  return [
    {
      title: message('istiod.gateway.istioctl', { release: controlPlane.release }),
      commandLine: `${commandLine(script)} | ${commandLine(istioctl)}`,
    },
    ...(isOld ? [] : [{ title: message('istiod.gateway.helm'), commandLine: commandLine(helm) }]),
  ];
}

/** What makes another gateway of the script's, which is always istio-system/istio-eastwestgateway. */
function renamed(name: string, namespace: string): readonly string[] {
  const set = (path: string, value: string): readonly string[] => ['--set', `components.ingressGateways[0].${path}=${value}`];
  return [
    // The label app is what tells the pods of two such gateways from each other.
    ...(name === DEFAULT_SERVICE ? [] : [...set('name', name), ...set('label.app', name)]),
    ...(namespace === 'istio-system' ? [] : set('namespace', namespace)),
  ];
}
