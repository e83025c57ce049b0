// What any cluster has: its node, DNS, the guide's namespaces, and a user who may only read.
import type { LabAddresses } from '../addresses.ts';
import { DNS_CLUSTER_IP } from '../addresses.ts';
import { NODE_NAME } from '../cluster.ts';
import type { LabObject, ObjectWithStatus } from './kinds.ts';
import { namespace, service } from './kinds.ts';

/** The guide's namespaces (facts, the guide): control plane, productpage, the VM's certificates, registered services. */
export const NAMESPACES = ['istio-system', 'bookinfo', 'vm', 'onprem'] as const;

export function baseObjects(): LabObject[] {
  const [controlPlane, productpage, ...others] = NAMESPACES;
  return [
    namespace(controlPlane, { 'istio-injection': 'disabled' }),
    namespace(productpage, { 'istio-injection': 'enabled' }),
    ...others.map((name) => namespace(name)),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'lab-viewers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'lab-viewers' }],
    },
    {
      ...service(
        'kube-system',
        'kube-dns',
        { 'k8s-app': 'kube-dns' },
        [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
        { clusterIP: DNS_CLUSTER_IP },
      ),
      metadata: {
        name: 'kube-dns',
        namespace: 'kube-system',
        labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'KubeDNS' },
      },
    },
  ];
}

/** The one node, as a Google cloud node looks; kube-proxy waits for it. */
export function labNode(addresses: LabAddresses): ObjectWithStatus {
  const object: LabObject = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NODE_NAME,
      labels: {
        'kubernetes.io/hostname': NODE_NAME,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/region': 'lab',
        'topology.kubernetes.io/zone': 'zone',
      },
    },
    spec: { providerID: 'gce://lab/zone/lab', podCIDR: addresses.podSubnet, podCIDRs: [addresses.podSubnet] },
  };
  const status = {
    addresses: [
      { type: 'InternalIP', address: addresses.router },
      { type: 'Hostname', address: NODE_NAME },
    ],
    conditions: [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the lab has no kubelet; its processes run on the bridge' },
    ],
    nodeInfo: {
      architecture: 'amd64',
      operatingSystem: 'linux',
      kubeletVersion: 'v1.34.1',
      kubeProxyVersion: 'v1.34.1',
      containerRuntimeVersion: 'lab://1',
      kernelVersion: 'lab',
      osImage: 'lab',
      bootID: 'lab',
      machineID: 'lab',
      systemUUID: 'lab',
    },
  };
  return { object, status };
}
