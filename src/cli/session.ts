import path from 'node:path';
import { createMesh } from '../mesh/createMesh.ts';
import { MeshError } from '../mesh/errors.ts';
import { parseInventory } from '../mesh/inventory.ts';
import { findCluster, findVm } from '../mesh/lookup.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { message } from '../mesh/messages.ts';
import type { Inventory } from '../mesh/model.ts';
import { createEditStore } from './editStore.ts';
import type { CommonOptions, VmOptions } from './options.ts';
import type { Output } from './output.ts';
import { Prompts } from './prompts.ts';
import { createConnections, createPackageFetcher, readGiven, systemClock } from './rooms.ts';

/** What a command works with: one run of the program. */
export interface Session {
  readonly output: Output;
  readonly prompts: Prompts;
  readonly mesh: Mesh;
  readonly inventory: Inventory;
  readonly options: CommonOptions;
  readonly signal: AbortSignal;
}

export interface Surroundings {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly cancel: () => void;
  /** True where a person can be asked: stdin and stderr are terminals. */
  readonly interactive: boolean;
}

/** Refuses a change that nobody can confirm, at once: nothing is read, asked or waited for. */
export function needPerson(options: CommonOptions, interactive: boolean): void {
  if (interactive || options.yes === true || options.dryRun === true) return;
  throw new MeshError({
    code: 'cli.unconfirmed',
    kind: 'person',
    userMessage: message('cli.unconfirmed'),
    nextStep: message('cli.unconfirmed.next'),
  });
}

/** Reads the inventory and puts the parts together; contacts nothing. */
export async function openSession(options: CommonOptions, { output, signal, cancel, interactive }: Surroundings): Promise<Session> {
  const { inventory: read } = parseInventory(await readGiven(options.inventory, message('cli.no-inventory.next')), options.inventory);
  const inventory = withContexts(read, options.context);
  const prompts = new Prompts(output, interactive, signal, cancel);
  const mesh = createMesh(
    {
      connections: createConnections({
        kubeconfig: options.kubeconfig,
        sshConfig: options.sshConfig,
        snapshot: options.snapshot,
        prompter: prompts,
      }),
      edits: createEditStore(path.dirname(path.resolve(options.inventory))),
      clock: systemClock,
      packages: createPackageFetcher(),
    },
    () => inventory,
  );
  return { output, prompts, mesh, inventory, options, signal };
}

/** The VMs that `--vm` and `--all` name, each once. Unknown names are refused before anything is contacted. */
export function chosenVms(inventory: Inventory, { vm, all }: VmOptions): readonly string[] {
  const given = vm ?? [];
  if ((all === true) === given.length > 0)
    throw new MeshError({
      code: 'cli.no-vm',
      kind: 'bad-input',
      userMessage: message('cli.no-vm'),
      nextStep: message('cli.no-vm.next'),
      field: 'vm',
    });
  if (all !== true) return [...new Set(given)].map((name) => findVm(inventory, name).name);
  if (inventory.vms.length === 0)
    throw new MeshError({
      code: 'cli.no-vms',
      kind: 'bad-input',
      userMessage: message('cli.no-vms'),
      nextStep: message('cli.no-vms.next'),
      field: 'vms',
    });
  return inventory.vms.map(({ name }) => name);
}

function withContexts(inventory: Inventory, contexts: ReadonlyMap<string, string> = new Map()): Inventory {
  for (const name of contexts.keys()) findCluster(inventory, name);
  return {
    ...inventory,
    clusters: inventory.clusters.map((cluster) => ({ ...cluster, context: contexts.get(cluster.name) ?? cluster.context })),
  };
}
