import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { message } from '../mesh/messages.ts';
import type { ContextInfo } from '../mesh/ports.ts';
import { isRecord } from './json.ts';
import type { ClusterConfig, ContextConfig, Kubeconfig, UserConfig } from './kubeconfigModel.ts';
import { badKubeconfig, parseKubeconfig } from './kubeconfigReader.ts';

export interface LoadKubeconfigOptions {
  /** These files instead of KUBECONFIG and ~/.kube/config. */
  readonly paths?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
}

/**
 * Reads the kubeconfig: `paths`, else all files of KUBECONFIG, else ~/.kube/config. A missing file counts as empty.
 * Throws `kube.kubeconfig` (bad input) naming the file, the field and the rule.
 */
export async function loadKubeconfig(options: LoadKubeconfigOptions = {}): Promise<Kubeconfig> {
  const files: { path: string; exists: boolean }[] = [];
  const clusters = new Map<string, ClusterConfig>();
  const users = new Map<string, UserConfig>();
  const contexts = new Map<string, ContextConfig>();
  let currentContext: string | undefined;
  for (const file of kubeconfigPaths(options)) {
    const text = await readIfPresent(file);
    files.push({ path: file, exists: text !== undefined });
    if (text === undefined) continue;
    const read = parsedOnce(file, text);
    keepFirst(clusters, read.clusters);
    keepFirst(users, read.users);
    keepFirst(contexts, read.contexts);
    currentContext ??= read.currentContext;
  }
  return { files, currentContext, clusters, users, contexts };
}

const parsed = new Map<string, { readonly text: string; readonly read: ReturnType<typeof parseKubeconfig> }>();

/** The tree asks with every paint, and 20 clusters with their certificates take 15 ms to parse: only a file that was edited is parsed again. */
function parsedOnce(file: string, text: string): ReturnType<typeof parseKubeconfig> {
  const known = parsed.get(file);
  if (known?.text === text) return known.read;
  const read = parseKubeconfig(file, text);
  parsed.set(file, { text, read });
  return read;
}

/** The contexts in the order of the files. Contacts nothing, runs nothing. */
export function listContexts(kubeconfig: Kubeconfig): ContextInfo[] {
  return [...kubeconfig.contexts.values()].map((context) => {
    const user = context.user === undefined ? undefined : kubeconfig.users.get(context.user);
    return {
      name: context.name,
      server: kubeconfig.clusters.get(context.cluster)?.server ?? '',
      namespace: context.namespace,
      current: context.name === kubeconfig.currentContext,
      runsProgram:
        user?.exec !== undefined || (isRecord(user?.authProvider?.config) && typeof user.authProvider.config['cmd-path'] === 'string'),
    };
  });
}

export function kubeconfigPaths({ paths, env = process.env, home = homedir() }: LoadKubeconfigOptions): readonly string[] {
  if (paths !== undefined && paths.length > 0) return unique(paths.map((file) => path.resolve(file)));
  const listed = (env.KUBECONFIG ?? '').split(path.delimiter).filter((file) => file !== '');
  return listed.length > 0 ? unique(listed.map((file) => path.resolve(file))) : [path.join(home, '.kube', 'config')];
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function keepFirst<T>(into: Map<string, T>, from: ReadonlyMap<string, T>): void {
  for (const [name, value] of from) if (!into.has(name)) into.set(name, value);
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isRecord(error) && error.code === 'ENOENT') return undefined;
    throw badKubeconfig(
      message('kube.kubeconfig.read', { file, text: error instanceof Error ? error.message : String(error) }),
      undefined,
      error,
    );
  }
}
