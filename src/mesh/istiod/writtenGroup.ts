import type { ReadinessProbe, WorkloadGroup } from '../model.ts';
import type { KubeObject, ObjectRef } from '../ports.ts';

/** A group as it is written: labels and annotations for the entries stand in `spec.metadata` (istiod facts 3.5). */
export function groupObject(ref: ObjectRef, group: WorkloadGroup): KubeObject {
  return {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name: ref.name, namespace: ref.namespace },
    spec: {
      metadata: { ...filled('labels', group.labels), ...filled('annotations', group.annotations) },
      template: {
        serviceAccount: group.serviceAccount,
        ...filled('ports', group.ports),
        ...(group.network === undefined ? {} : { network: group.network }),
        ...(group.locality === undefined ? {} : { locality: group.locality }),
        ...(group.weight === undefined ? {} : { weight: group.weight }),
      },
      ...(group.probe === undefined ? {} : { probe: probeObject(group.probe) }),
    },
  };
}

function filled(name: string, mapping: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.keys(mapping).length === 0 ? {} : { [name]: mapping };
}

function probeObject({ handler, ...times }: ReadinessProbe): Readonly<Record<string, unknown>> {
  const { kind, ...fields } = handler;
  return { ...times, [kind]: fields };
}
