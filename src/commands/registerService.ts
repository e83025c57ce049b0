import { clusterName, serviceReference, vmNames } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const registerService: Command = (app) => async (node, nodes) => {
  const service =
    typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'service' && 'name' in node && 'namespace' in node
      ? node
      : undefined;
  const reference =
    service === undefined ? undefined : serviceReference({ name: String(service.name), namespace: String(service.namespace) });
  const vms = vmNames(node, nodes);
  // A service's own VMs stay where no VM was chosen.
  app.openForm({ kind: 'register', cluster: clusterName(node), service: reference, ...(vms.length === 0 ? {} : { vms }) });
};
