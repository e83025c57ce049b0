// The lab's wires: one namespace with a bridge for the cluster, joined to the root namespace by a veth; one namespace per machine on that bridge.
import { readdir } from 'node:fs/promises';
import type { LabAddresses } from './addresses.ts';
import { SERVICE_CIDR } from './addresses.ts';
import { BRIDGE, isNamespaceOf, namespaceFile, networkNamespace, uplinkName } from './names.ts';
import { run } from './toolchain/run.ts';

/** The lab's namespaces that exist now. */
export async function namespaces(lab: string): Promise<string[]> {
  return (await readdir('/run/netns').catch(() => [])).filter((name) => isNamespaceOf(lab, name));
}

/** Makes the cluster's namespace, its link to the root one, and the bridge. What exists is left as it is. */
export async function clusterNetwork(lab: string, addresses: LabAddresses): Promise<void> {
  const namespace = networkNamespace(lab);
  const uplink = uplinkName(addresses.index);
  await addNamespace(namespace);
  if (!(await hasLink(namespace, 'uplink'))) {
    await run(['ip', 'link', 'add', uplink, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', namespace]);
  }
  await batch(namespace, [
    'link set lo up',
    `addr replace ${addresses.apiServer}/30 dev uplink`,
    'link set uplink up',
    ...((await hasLink(namespace, BRIDGE)) ? [] : [`link add ${BRIDGE} type bridge`]),
    `addr replace ${addresses.router}/24 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
    `route replace ${addresses.podSubnet} dev ${BRIDGE}`,
    // What runs in here may ask for a cluster IP; without a route the kernel refuses before kube-proxy sees it.
    `route replace ${SERVICE_CIDR} dev ${BRIDGE} src ${addresses.router}`,
  ]);
  await batch(undefined, [
    `addr replace ${addresses.root}/30 dev ${uplink}`,
    `link set ${uplink} up`,
    `route replace ${addresses.subnet} via ${addresses.apiServer}`,
  ]);
  await run(['nsenter', `--net=${namespaceFile(namespace)}`, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
  await run(['nsenter', `--net=${namespaceFile(namespace)}`, 'nft', '-f', '-'], { input: clusterAddressFilter() });
}

// The guide's premise: a machine is routed to pods and load balancers, not to cluster IPs. Before kube-proxy's own prerouting could serve them.
function clusterAddressFilter(): string {
  return `table ip lab
delete table ip lab
table ip lab {
  chain outside {
    type filter hook prerouting priority raw; policy accept;
    iifname { "${BRIDGE}", "uplink" } ip daddr ${SERVICE_CIDR} counter drop
  }
}
`;
}

/** Makes a machine's namespace, with `eth0` on the bridge and its default route there. What exists is left as it is. */
export async function machineNetwork(lab: string, machine: string, address: string, addresses: LabAddresses): Promise<void> {
  const cluster = networkNamespace(lab);
  const namespace = networkNamespace(lab, machine);
  await addNamespace(namespace);
  if (!(await hasLink(namespace, 'eth0'))) {
    await run(['ip', '-n', cluster, 'link', 'add', machine, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  }
  await batch(cluster, [`link set ${machine} master ${BRIDGE} up`]);
  await batch(namespace, [
    'link set lo up',
    `addr replace ${address}/24 dev eth0`,
    'link set eth0 up',
    `route replace default via ${addresses.router}`,
  ]);
}

/** Makes a namespace for a pod that has one to itself, with `eth0` on the bridge. What exists is left as it is. */
export async function podNetwork(lab: string, pod: string, address: string, addresses: LabAddresses): Promise<void> {
  const cluster = networkNamespace(lab);
  const namespace = networkNamespace(lab, pod);
  await addNamespace(namespace);
  if (!(await hasLink(namespace, 'eth0'))) {
    await run(['ip', '-n', cluster, 'link', 'add', pod, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  }
  await batch(cluster, [`link set ${pod} master ${BRIDGE} up`]);
  await batch(namespace, [
    'link set lo up',
    `addr replace ${address}/32 dev eth0`,
    'link set eth0 up',
    `route replace ${addresses.router} dev eth0`,
    `route replace default via ${addresses.router} src ${address}`,
  ]);
}

/** Adds a pod's or load balancer's address to the bridge. */
export async function addBridgeAddress(lab: string, address: string): Promise<void> {
  await batch(networkNamespace(lab), [`addr replace ${address}/32 dev ${BRIDGE}`]);
}

/** Removes every namespace of the lab with all links in it; nothing may run in them any more. */
export async function removeNetwork(lab: string): Promise<void> {
  for (const namespace of await namespaces(lab)) {
    // A copy of the mount elsewhere may keep the namespace alive: take its links away first.
    const links = await run(['ip', '-n', namespace, '-o', 'link'], { tolerant: true });
    for (const line of links.stdout.split('\n')) {
      const link = /^\d+: ([^:@]+)/.exec(line)?.[1];
      if (link && link !== 'lo') await run(['ip', '-n', namespace, 'link', 'del', link], { tolerant: true });
    }
    await run(['ip', 'netns', 'del', namespace]);
  }
}

async function addNamespace(namespace: string): Promise<void> {
  const made = await run(['ip', 'netns', 'add', namespace], { tolerant: true });
  if (made.code === 0) return;
  // A kill between its two steps leaves a plain file that is no namespace.
  const usable = await run(['ip', '-n', namespace, 'link'], { tolerant: true });
  if (usable.code === 0) return;
  await run(['ip', 'netns', 'del', namespace]);
  await run(['ip', 'netns', 'add', namespace]);
}

async function hasLink(namespace: string, link: string): Promise<boolean> {
  return (await run(['ip', '-n', namespace, 'link', 'show', link], { tolerant: true })).code === 0;
}

async function batch(namespace: string | undefined, lines: readonly string[]): Promise<void> {
  await run(['ip', ...(namespace ? ['-n', namespace] : []), '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
