import type { MeshRoom } from '../../editor/rooms.ts';
import type { ClusterEntry, VmEntry, WorkloadGroupFacts } from '../../mesh/model.ts';
import { withCluster } from './clusterField.ts';
import type { JoinShape } from './joinFields.ts';
import { listOf, textOf, type Values } from './protocol.ts';
import { readPorts } from './rules.ts';

/** Values of Join VM for a VM of the inventory. */
export function valuesOfVm(vm: VmEntry): Values {
  const ports = vm.inboundPorts === '*' ? '*' : (vm.inboundPorts ?? []).join(', ');
  return {
    hosts: [vm.host],
    cluster: vm.cluster,
    namespace: vm.namespace,
    serviceAccount: vm.serviceAccount,
    inboundPorts: ports,
    package: '',
    name: vm.name,
    address: vm.address ?? '',
    workloadGroup: vm.workloadGroup === undefined ? '' : `${vm.namespace}/${vm.workloadGroup}`,
    options: [...(vm.autoRegister === false ? [] : ['autoRegister']), ...(vm.captureDns === false ? [] : ['captureDns'])],
    externalAddress: vm.externalAddress ?? '',
  };
}

/** Names of the VMs: the one that is typed where there is one host, else the hosts' aliases. */
export function namesOf(values: Values): readonly string[] {
  const hosts = listOf(values.hosts);
  const name = textOf(values.name);
  return hosts.length === 1 && name !== '' ? [name] : hosts;
}

/** The inventory's text with the VMs that are typed; `shape` says which fields count. */
export function writeVms(
  text: string,
  room: MeshRoom,
  values: Values,
  { clusters, shape }: { readonly clusters: readonly ClusterEntry[]; readonly shape: JoinShape },
): string {
  const hosts = listOf(values.hosts);
  const cluster = textOf(values.cluster);
  const address = textOf(values.address);
  const started = withCluster(text, room, cluster, clusters);
  const shared = typeof shape === 'object' ? groupedEntry(values, shape) : plainEntry(values);
  return namesOf(values).reduce((current, name, index) => {
    const host = hosts[index] ?? name;
    const fields = {
      cluster,
      ...shared,
      host: host === name ? undefined : host,
      address: hosts.length === 1 && address !== '' ? address : undefined,
    };
    const known = room.readInventory(current);
    const exists = known.ok && known.parsed.inventory.vms.some((vm) => vm.name === name);
    return exists ? room.updateVm(current, name, fields) : room.addVm(current, { name, ...fields });
  }, started);
}

function plainEntry(values: Values) {
  return {
    namespace: textOf(values.namespace),
    serviceAccount: accountOf(textOf(values.serviceAccount)),
    inboundPorts: readPorts(textOf(values.inboundPorts)).ports,
  };
}

/** Namespace and account are the group's: an entry of another identity would be refused. What is the default is not written. */
function groupedEntry(values: Values, groups: readonly WorkloadGroupFacts[]) {
  const [namespace = '', workloadGroup = ''] = textOf(values.workloadGroup).split('/');
  const group = groups.find((one) => one.group.namespace === namespace && one.group.name === workloadGroup)?.group;
  const options = listOf(values.options);
  const external = textOf(values.externalAddress);
  return {
    namespace,
    workloadGroup,
    serviceAccount: accountOf(group?.serviceAccount ?? ''),
    inboundPorts: undefined,
    autoRegister: options.includes('autoRegister') ? undefined : false,
    captureDns: options.includes('captureDns') ? undefined : false,
    externalAddress: listOf(values.hosts).length === 1 && external !== '' ? external : undefined,
  };
}

function accountOf(text: string): string | undefined {
  return text === '' || text === 'default' ? undefined : text;
}
