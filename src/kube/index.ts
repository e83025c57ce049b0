export { createClusterApi, type ClusterApiOptions } from './clusterApi.ts';
export { listContexts, loadKubeconfig, type Kubeconfig, type LoadKubeconfigOptions } from './kubeconfig.ts';
export { createSnapshotApi } from './snapshot.ts';
