import type { ClusterScope } from '../era.ts';
import type { SetupPreview } from '../mesh.ts';
import { message } from '../messages.ts';
import type { ClusterEntry, ControlPlane, ControlPlaneDetail, ValueSource } from '../model.ts';
import type { KubeObject, ObjectRef } from '../ports.ts';
import { commandLine } from '../shellWords.ts';
import { gatewayHostname, placeAsName } from './gatewayAddress.ts';
import { containersPath, istiodVariable } from './istiodEnv.ts';
import { isRevisioned, revisioned } from './naming.ts';

/**
 * The names that istiod's certificate holds beside its own: ISTIOD_CUSTOM_HOST, separated by commas. Where VMs call istiod by the gateway's host name, that
 * has to be among them: seen with 1.31, `certificate is valid for istiod.istio-system.svc, ..., not HOST` without.
 */

const VARIABLE = 'ISTIOD_CUSTOM_HOST';
const DETAIL = 'certificate-names';

/** What is said of the certificate where the inventory has VMs call istiod by the gateway's host name; nothing elsewhere. */
export function certificateDetails(
  entry: ClusterEntry,
  istiod: KubeObject | undefined,
  place: ValueSource | undefined,
): readonly ControlPlaneDetail[] {
  const hostname = placeAsName(entry, place)?.value;
  if (istiod === undefined || hostname === undefined) return [];
  const source = customHosts(istiod);
  return [
    {
      id: DETAIL,
      label: message(`istiod.detail.${DETAIL}`),
      value: source.value === '' ? '-' : source.value,
      source,
      ...(namesOf(source.value).includes(hostname) ? {} : { attention: true }),
    },
  ];
}

/** How a person gives istiod the name that its certificate lacks; empty where it lacks none. */
export function customHostCommands({ entry, controlPlane }: Lacking, revision: string): NonNullable<SetupPreview['commands']> {
  const hostname = lackingName({ entry, controlPlane });
  if (hostname === undefined) return [];
  const { helm, istioctl } = commandsFor({ entry, controlPlane }, revision, hostname);
  return [
    { title: message('istiod.custom-host.helm', { hostname }), commandLine: helm },
    { title: message('istiod.custom-host.istioctl', { hostname }), commandLine: istioctl },
  ];
}

type Lacking = Pick<ClusterScope, 'entry' | 'controlPlane'>;

/** The host name that VMs call istiod by and that its certificate is not made for, as far as its Deployment tells. */
export function lackingName({ entry, controlPlane }: Lacking): string | undefined {
  return detailOf(controlPlane)?.attention === true ? gatewayHostname(entry, controlPlane) : undefined;
}

/** The lines that make istiod's certificate for the name too, and for those that it has. */
export function commandsFor(
  { entry, controlPlane }: Lacking,
  revision: string,
  hostname: string,
): { readonly helm: string; readonly istioctl: string } {
  const present = namesOf(detailOf(controlPlane)?.value ?? '').filter((name) => name !== '-');
  // A comma that is not escaped would begin another value.
  const setting = `env.${VARIABLE}=${[...new Set([...present, hostname])].join(String.raw`\,`)}`;
  const { context, istio } = entry;
  const [release, version] = [revisioned('istiod', revision), controlPlane.release];
  const helm = ['helm', 'upgrade', release, 'istio/istiod', '--kube-context', context, '--namespace', istio.namespace];
  const revised = isRevisioned(revision) ? ['--set', `revision=${revision}`] : [];
  return {
    helm: commandLine([...helm, '--version', version, '--reuse-values', '--set', `pilot.${setting}`]),
    istioctl: commandLine(['istioctl', 'install', '--context', context, '-y', ...revised, '--set', `values.pilot.${setting}`]),
  };
}

function detailOf({ details }: ControlPlane): ControlPlaneDetail | undefined {
  return details?.find(({ id }) => id === DETAIL);
}

function namesOf(value: string): readonly string[] {
  return value.split(',').map((name) => name.trim());
}

function customHosts(istiod: KubeObject): ValueSource {
  const { apiVersion, kind, metadata } = istiod;
  const object: ObjectRef = { apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
  const field = `${containersPath(istiod).join('.')}: env ${VARIABLE}`;
  return { value: istiodVariable(istiod, VARIABLE) ?? '', from: { kind: 'object', object, field } };
}
