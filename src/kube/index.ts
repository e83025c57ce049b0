export { createClusterApi, type ClusterApiOptions } from './clusterApi.ts';
export { listContexts, loadKubeconfig, type LoadKubeconfigOptions } from './kubeconfig.ts';
export type { Kubeconfig } from './kubeconfigModel.ts';
export { createSnapshotApi } from './snapshot.ts';
