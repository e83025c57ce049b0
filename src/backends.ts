import type { AcceptedKeys } from './editor/acceptedKeys.ts';
import type { Backend, BackendEnvironment, Rooms } from './editor/rooms.ts';
import type { Connections } from './mesh/ports.ts';

/** The rooms as bundles of their own: each is loaded by the first call that needs it. */
export function createRooms(trustStore: Pick<AcceptedKeys, 'read' | 'append'>): Rooms {
  return {
    mesh: () => import('./mesh/index.ts'),
    real: async (environment) => realBackend(environment, trustStore),
    playground: async () => (await import('./playground/index.ts')).createPlayground(),
  };
}

const kube = () => import('./kube/index.ts');
const ssh = () => import('./ssh/index.ts');

/** The kubeconfig's clusters and the SSH configuration's machines. Files are read when they are asked for, so that an edit counts at once. */
function realBackend({ kubeconfig, sshConfig, prompter }: BackendEnvironment, trustStore: Pick<AcceptedKeys, 'read' | 'append'>): Backend {
  const paths = kubeconfig.length === 0 ? undefined : kubeconfig;
  const connections: Connections = {
    contexts: async () => {
      const { listContexts, loadKubeconfig } = await kube();
      return listContexts(await loadKubeconfig({ paths }));
    },
    cluster: async (context) => {
      const { createClusterApi, loadKubeconfig } = await kube();
      return createClusterApi({ kubeconfig: await loadKubeconfig({ paths }), context });
    },
    hosts: async () => (await ssh()).listHosts({ configFile: sshConfig }),
    host: async (alias, options) => (await ssh()).openHost(alias, { configFile: sshConfig, prompter, trustStore, options }),
    close: async () => undefined,
  };
  return { connections, packages: { fetch: async (source, options) => (await ssh()).createPackageFetcher().fetch(source, options) } };
}
