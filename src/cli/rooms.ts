import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as kubeRoom from '../kube/index.ts';
import { MeshError } from '../mesh/errors.ts';
import { message, type Message } from '../mesh/messages.ts';
import type { Clock, ClusterApi, Connections, HostPrompter, PackageFetcher } from '../mesh/ports.ts';
import type * as sshRoom from '../ssh/index.ts';
import { fileTrustStore } from './trustStore.ts';

/** Where the command line finds clusters and machines. */
export interface Sources {
  readonly kubeconfig?: string;
  readonly sshConfig?: string;
  /** Read the cluster from this YAML dump instead of an API server. */
  readonly snapshot?: string;
  readonly prompter: HostPrompter;
}

/** The real parts, each bundle loaded when it is first needed. */
export function createConnections(sources: Sources): Connections {
  let kubeconfig: Promise<kubeRoom.Kubeconfig> | undefined;
  const readKubeconfig = async (): Promise<kubeRoom.Kubeconfig> => {
    const room = await kube();
    kubeconfig ??= room.loadKubeconfig({ paths: sources.kubeconfig === undefined ? undefined : [await existing(sources.kubeconfig)] });
    return kubeconfig;
  };
  const trustStore = fileTrustStore();
  return {
    contexts: async () => (await kube()).listContexts(await readKubeconfig()),
    cluster: async (context) =>
      sources.snapshot === undefined
        ? (await kube()).createClusterApi({ kubeconfig: await readKubeconfig(), context })
        : readSnapshot(sources.snapshot),
    hosts: async () => (await ssh()).listHosts({ configFile: sources.sshConfig }),
    host: async (alias, options) => {
      const configFile = sources.sshConfig === undefined ? undefined : await existing(sources.sshConfig);
      return (await ssh()).openHost(alias, { configFile, prompter: sources.prompter, trustStore, options });
    },
    close: async () => undefined,
  };
}

export function createPackageFetcher(): PackageFetcher {
  return { fetch: async (source, options) => (await ssh()).createPackageFetcher().fetch(source, options) };
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (milliseconds, signal) => {
    await sleep(milliseconds, undefined, { signal });
  },
};

function kube(): Promise<typeof kubeRoom> {
  return import('../kube/index.ts');
}

function ssh(): Promise<typeof sshRoom> {
  return import('../ssh/index.ts');
}

async function readSnapshot(file: string): Promise<ClusterApi> {
  return (await kube()).createSnapshotApi(await readGiven(file), file);
}

/** A file that the person named: that it cannot be read is bad input. `next`: what to do where it is not there. */
export async function readGiven(file: string, next: Message = message('cli.no-file.next')): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new MeshError({
        code: 'cli.no-file',
        kind: 'bad-input',
        userMessage: message('cli.no-file', { file }),
        nextStep: next,
        field: file,
        cause: error,
      });
    throw new MeshError({
      code: 'cli.file',
      kind: 'bad-input',
      userMessage: message('cli.file', { file, reason: error instanceof Error ? error.message : String(error) }),
      nextStep: message('cli.file.next'),
      field: file,
      cause: error,
    });
  }
}

/** Only an absent default file counts as empty; one that was named must be there. */
async function existing(file: string): Promise<string> {
  await readGiven(file);
  return file;
}
