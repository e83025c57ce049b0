import { at, listAt, numberAt, stringsAt, textAt } from '../cluster/untrusted.ts';
import type { ReadinessProbe, WorkloadGroup } from '../model.ts';
import type { KubeObject, ObjectRef } from '../ports.ts';

/** WorkloadGroup objects of the cluster (istiod facts 3.5). */

export const NETWORKING = 'networking.istio.io';

export function groupRef(apiVersion: string, namespace: string, name: string): ObjectRef {
  return { apiVersion, kind: 'WorkloadGroup', namespace, name };
}

/** A group, and what of its object the files of a VM rest on beyond it. */
export interface LiveGroup {
  readonly ref: ObjectRef;
  readonly group: WorkloadGroup;
  /** Annotations of the object itself: not handed to entries. */
  readonly objectAnnotations: Readonly<Record<string, string>>;
  /** `spec.probe` as it is written. */
  readonly probe: unknown;
}

/** The template's labels win over the metadata's, as istiod has it (istiod facts 1.5, 3.3). */
export function liveGroup(object: KubeObject): LiveGroup {
  const { name, namespace = '' } = object.metadata;
  const template = at(object, 'spec', 'template');
  const probe = at(object, 'spec', 'probe');
  const group: WorkloadGroup = {
    namespace,
    name,
    serviceAccount: textAt(template, 'serviceAccount') ?? 'default',
    labels: { ...stringsAt(object, 'spec', 'metadata', 'labels'), ...stringsAt(template, 'labels') },
    annotations: stringsAt(object, 'spec', 'metadata', 'annotations'),
    ports: numbersAt(template, 'ports'),
    network: textAt(template, 'network'),
    locality: textAt(template, 'locality'),
    weight: numberAt(template, 'weight'),
    probe: probeOf(probe),
  };
  return {
    ref: groupRef(object.apiVersion, namespace, name),
    group: withoutUndefined(group),
    objectAnnotations: stringsAt(object, 'metadata', 'annotations'),
    probe,
  };
}

function numbersAt(value: unknown, key: string): Readonly<Record<string, number>> {
  const found = at(value, key);
  if (typeof found !== 'object' || found === null) return {};
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

function probeOf(probe: unknown): ReadinessProbe | undefined {
  const handler = handlerOf(probe);
  if (handler === undefined) return undefined;
  return withoutUndefined({
    initialDelaySeconds: numberAt(probe, 'initialDelaySeconds'),
    timeoutSeconds: numberAt(probe, 'timeoutSeconds'),
    periodSeconds: numberAt(probe, 'periodSeconds'),
    successThreshold: numberAt(probe, 'successThreshold'),
    failureThreshold: numberAt(probe, 'failureThreshold'),
    handler,
  });
}

type Handler = ReadinessProbe['handler'];

function handlerOf(probe: unknown): Handler | undefined {
  const http = at(probe, 'httpGet');
  if (http !== undefined) {
    const scheme = textAt(http, 'scheme')?.toUpperCase();
    const headers = listAt(http, 'httpHeaders').map((header) => ({
      name: textAt(header, 'name') ?? '',
      value: textAt(header, 'value') ?? '',
    }));
    return withoutUndefined<Handler>({
      kind: 'httpGet',
      port: numberAt(http, 'port') ?? 0,
      path: textAt(http, 'path'),
      host: textAt(http, 'host'),
      scheme: scheme === 'HTTP' || scheme === 'HTTPS' ? scheme : undefined,
      httpHeaders: headers.length === 0 ? undefined : headers,
    });
  }
  const tcp = at(probe, 'tcpSocket');
  if (tcp !== undefined)
    return withoutUndefined<Handler>({ kind: 'tcpSocket', port: numberAt(tcp, 'port') ?? 0, host: textAt(tcp, 'host') });
  const exec = at(probe, 'exec');
  if (exec !== undefined) return { kind: 'exec', command: listAt(exec, 'command').filter((word) => typeof word === 'string') };
  const grpc = at(probe, 'grpc');
  return grpc === undefined
    ? undefined
    : withoutUndefined<Handler>({ kind: 'grpc', port: numberAt(grpc, 'port') ?? 0, service: textAt(grpc, 'service') });
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
