// Short ways to write the objects of the lab's cluster.

export interface LabObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> };
  [field: string]: unknown;
}

/** An object and the status a controller of a real cluster would have written, set through the status subresource. */
export interface ObjectWithStatus {
  object: LabObject;
  status: unknown;
}

export interface Port {
  name: string;
  port: number;
  protocol?: 'TCP' | 'UDP';
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): LabObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function serviceAccount(namespaceName: string, name: string): LabObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: namespaceName } };
}

export function service(
  namespaceName: string,
  name: string,
  selector: Readonly<Record<string, string>>,
  ports: readonly Port[],
  spec: Readonly<Record<string, unknown>> = {},
): LabObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: namespaceName, labels: selector },
    spec: { selector, ports, ...spec },
  };
}

/** A workload as the cluster shows it. No node runs it: the process behind `address` is the lab's. */
export interface Workload {
  namespace: string;
  name: string;
  serviceAccount: string;
  labels: Readonly<Record<string, string>>;
  container: string;
  image: string;
  address: string;
}

/** The Deployment, for whoever detects a release by its image, and the running Pod, from which the real endpoints controllers make Endpoints and EndpointSlices. */
export function workload(of: Workload, node: string, hostAddress: string): { objects: LabObject[]; statuses: ObjectWithStatus[] } {
  const containers = [{ name: of.container, image: of.image }];
  const template = { metadata: { labels: of.labels }, spec: { serviceAccountName: of.serviceAccount, containers } };
  const deployment: LabObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: of.name, namespace: of.namespace, labels: of.labels },
    spec: { replicas: 1, selector: { matchLabels: of.labels }, template },
  };
  const pod: LabObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${of.name}-lab`, namespace: of.namespace, labels: of.labels },
    spec: { ...template.spec, nodeName: node },
  };
  return {
    objects: [serviceAccount(of.namespace, of.serviceAccount), deployment, pod],
    statuses: [
      { object: deployment, status: deploymentStatus() },
      { object: pod, status: podStatus(of.container, of.image, of.address, hostAddress) },
    ],
  };
}

/** The status of a Pod whose one container runs at `address`. */
export function podStatus(container: string, image: string, address: string, hostAddress: string): unknown {
  return {
    phase: 'Running',
    podIP: address,
    podIPs: [{ ip: address }],
    hostIP: hostAddress,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
    containerStatuses: [{ name: container, image, imageID: '', ready: true, started: true, restartCount: 0, state: { running: {} } }],
  };
}

/** The status of a Deployment with its one replica available. */
export function deploymentStatus(): unknown {
  return {
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: '' }],
  };
}
