// Puts the lab's objects into its cluster with kubectl; a second time changes nothing.
import type { LabAddresses } from '../addresses.ts';
import { runGo } from '../toolchain/run.ts';
import { baseObjects, labNode } from './base.ts';
import type { LabObject, ObjectWithStatus } from './kinds.ts';
import { plainWorkloads } from './workloads.ts';

/** The objects of the lab's Istio, and what a controller would have written as their status. */
export interface IstioObjects {
  objects: readonly LabObject[];
  statuses: readonly ObjectWithStatus[];
}

/** Applies everything, statuses included. Throws with kubectl's words when the API server refuses one. */
export async function applyObjects(kubectl: string, kubeconfig: string, addresses: LabAddresses, istio: IstioObjects): Promise<void> {
  const node = labNode(addresses);
  const plain = plainWorkloads(addresses);
  await apply(kubectl, kubeconfig, [...baseObjects(), node.object, ...plain.objects, ...istio.objects]);
  await replaceStatus(kubectl, kubeconfig, [node, ...plain.statuses, ...istio.statuses]);
}

async function apply(kubectl: string, kubeconfig: string, objects: readonly LabObject[]): Promise<void> {
  await runGo([kubectl, '--kubeconfig', kubeconfig, 'apply', '--server-side', '--force-conflicts', '--field-manager=lab', '-f', '-'], {
    input: list(objects),
  });
}

async function replaceStatus(kubectl: string, kubeconfig: string, wanted: readonly ObjectWithStatus[]): Promise<void> {
  const objects = wanted.map(({ object, status }) => ({ ...object, status }));
  await runGo([kubectl, '--kubeconfig', kubeconfig, 'replace', '--subresource=status', '-f', '-'], { input: list(objects) });
}

function list(items: readonly LabObject[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
