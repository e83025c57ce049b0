import * as vscode from 'vscode';
import type { Mesh } from '../mesh/mesh.ts';
import type { ClusterEntry, Inventory, ServiceEntry, VmEntry } from '../mesh/model.ts';
import type { Clock, ContextInfo, EditStore } from '../mesh/ports.ts';
import { createEditStore } from './editStore.ts';
import { readFolder } from './files.ts';
import { createInventoryFile, type InventoryFile } from './inventoryFile.ts';
import type { Prompts } from './prompts.ts';
import type { Backend, Rooms } from './rooms.ts';
import { readSettings } from './settings.ts';

export type Source = 'real' | 'playground';

/** What a form is about to add: seen by the core, not yet in the file. */
export interface Draft {
  readonly cluster?: ClusterEntry;
  readonly vm?: VmEntry;
  readonly service?: ServiceEntry;
}

/** The core of this window: the inventory file, the backend, and one Mesh over both. Nothing is loaded before something is asked. */
export interface Session {
  dispose(): void;
  readonly rooms: Rooms;
  readonly file: InventoryFile;
  readonly edits: EditStore;
  /** The source or a setting changed: everything known is stale. */
  readonly onDidReset: vscode.Event<void>;
  source(): Source;
  use(source: Source): Promise<void>;
  mesh(): Promise<Mesh>;
  backend(): Promise<Backend>;
  /** Contexts of the kubeconfig; contacts nothing. */
  contexts(): Promise<readonly ContextInfo[]>;
  /** The file's inventory with a plain cluster for every context that it does not name. */
  inventory(): Promise<Inventory>;
  setDraft(id: string, draft: Draft | undefined): void;
}

interface Options {
  readonly context: vscode.ExtensionContext;
  readonly rooms: Rooms;
  readonly prompts: Prompts;
  readonly initial: Source;
}

const clock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new DOMException('Aborted', 'AbortError'));
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(new DOMException('Aborted', 'AbortError'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

export function createSession({ context, rooms, prompts, initial }: Options): Session {
  const reset = new vscode.EventEmitter<void>();
  let source = initial;
  let backend: Promise<Backend> | undefined;
  let mesh: Promise<Mesh> | undefined;
  let current: Inventory | undefined;
  const drafts = new Map<string, Draft>();

  const folder = (): vscode.Uri => {
    if (source === 'playground') return vscode.Uri.joinPath(context.globalStorageUri, 'playground');
    // An inventory of a folder that is not trusted names hosts and contexts: it is not used.
    const first = vscode.workspace.isTrusted ? vscode.workspace.workspaceFolders?.[0] : undefined;
    return first?.uri ?? context.globalStorageUri;
  };
  const file = createInventoryFile(() => rooms.mesh(), folder);
  const edits = createEditStore(() => rooms.mesh(), folder);

  /** The playground lives in memory: each one begins with its own inventory and without edits. */
  const startPlayground = async (): Promise<Backend> => {
    const made = await rooms.playground();
    await vscode.workspace.fs.createDirectory(folder());
    await Promise.all(
      (await readFolder(folder())).map(([name]) => vscode.workspace.fs.delete(vscode.Uri.joinPath(folder(), name), { recursive: true })),
    );
    // Through the file: what it read before the playground began must not stay.
    await file.edit(() => made.defaultInventory ?? '');
    return made;
  };
  const makeBackend = (): Promise<Backend> => {
    if (source === 'playground') return startPlayground();
    const { kubeconfig, sshConfig } = readSettings();
    return rooms.real({ kubeconfig, sshConfig, prompter: prompts });
  };
  const getBackend = () => (backend ??= keep(makeBackend(), () => (backend = undefined)));

  const effective = (state: Inventory, contexts: readonly ContextInfo[]): Inventory => {
    const { contexts: mapped } = readSettings();
    const clusters = state.clusters.map((cluster) => ({ ...cluster, context: mapped[cluster.name] ?? cluster.context }));
    const named = new Set(clusters.flatMap((cluster) => [cluster.context, cluster.name]));
    const plain = contexts
      .filter(({ name }) => !named.has(name))
      .map(({ name }): ClusterEntry => ({ name, context: name, istio: { namespace: 'istio-system' }, clusterDomain: 'cluster.local' }));
    return { ...state, clusters: [...clusters, ...plain] };
  };
  const inventory = async (): Promise<Inventory> => {
    const { connections } = await getBackend();
    const { inventory: state } = await file.read();
    const contexts = await connections.contexts().catch(() => []);
    current = effective(state, contexts);
    return current;
  };
  const withDrafts = (): Inventory => {
    const base = current ?? { version: 1, clusters: [], vms: [], services: [] };
    return [...drafts.values()].reduce<Inventory>(
      (sum, draft) => ({
        ...sum,
        clusters:
          draft.cluster === undefined ? sum.clusters : [...sum.clusters.filter(({ name }) => name !== draft.cluster?.name), draft.cluster],
        vms: draft.vm === undefined ? sum.vms : [...sum.vms.filter(({ name }) => name !== draft.vm?.name), draft.vm],
        services:
          draft.service === undefined ? sum.services : [...sum.services.filter((one) => !sameService(one, draft.service)), draft.service],
      }),
      base,
    );
  };
  const makeMesh = async (): Promise<Mesh> => {
    const [room, { connections, packages }] = await Promise.all([rooms.mesh(), getBackend()]);
    return room.createMesh({ connections, packages, edits, clock }, withDrafts);
  };

  const drop = async (): Promise<void> => {
    const open = mesh;
    mesh = undefined;
    backend = undefined;
    current = undefined;
    reset.fire();
    await (await open?.catch(() => undefined))?.close();
  };
  const settings = vscode.workspace.onDidChangeConfiguration((event) => {
    if (['kubeconfig', 'sshConfig', 'contexts', 'timeouts'].some((name) => event.affectsConfiguration(`meshExpansion.${name}`)))
      void drop();
  });
  const trust = vscode.workspace.onDidGrantWorkspaceTrust(() => void drop());

  return {
    rooms,
    file,
    edits,
    onDidReset: reset.event,
    source: () => source,
    use: async (next) => {
      if (next === source) return;
      source = next;
      await drop();
    },
    mesh: async () => {
      await inventory();
      return (mesh ??= keep(makeMesh(), () => (mesh = undefined)));
    },
    backend: getBackend,
    contexts: async () => (await getBackend()).connections.contexts(),
    inventory,
    setDraft: (id, draft) => {
      if (draft === undefined) drafts.delete(id);
      else drafts.set(id, draft);
    },
    dispose: () => {
      for (const part of [settings, trust, file, reset]) part.dispose();
      void mesh?.then((one) => one.close()).catch(() => undefined);
    },
  };
}

/** A failed start is tried again by the next call. */
function keep<T>(made: Promise<T>, onFailure: () => void): Promise<T> {
  made.catch(onFailure);
  return made;
}

function sameService(one: ServiceEntry, other: ServiceEntry | undefined): boolean {
  return one.name === other?.name && one.namespace === other.namespace;
}
