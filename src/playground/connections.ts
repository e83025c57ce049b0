import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, ClusterApi, Connections, ContextInfo, HostAlias, VmHost } from '../mesh/ports.ts';
import { PlaygroundHost } from './machine/host.ts';
import type { World, WorldOptions, WorldPlan } from './worlds/world.ts';

/** Embedded clusters, each with its machines; each is built when it is first asked for, so that opening the playground costs nothing. */
export class PlaygroundConnections implements Connections {
  readonly #plans: readonly WorldPlan[];
  readonly #options: WorldOptions;
  readonly #worlds = new Map<WorldPlan, Promise<World>>();

  constructor(plans: readonly WorldPlan[], options: WorldOptions) {
    this.#plans = plans;
    this.#options = options;
  }

  contexts(): Promise<readonly ContextInfo[]> {
    return Promise.resolve(
      this.#plans.map(({ context }, index) => ({
        name: context,
        server: 'playground (in memory)',
        namespace: 'default',
        current: index === 0,
        runsProgram: false,
      })),
    );
  }

  async cluster(context: string): Promise<ClusterApi> {
    const plan = this.#plans.find((one) => one.context === context);
    if (plan === undefined)
      throw new MeshError({
        code: 'kube.unknown-context',
        kind: 'bad-input',
        userMessage: message('playground.no-context', { context }),
        nextStep: message('playground.no-context.next', { context: this.#plans.map((one) => one.context).join(', ') }),
      });
    return (await this.#build(plan)).cluster;
  }

  hosts(): Promise<readonly HostAlias[]> {
    return Promise.resolve(
      this.#plans.flatMap(({ machines }) => machines).map(({ name, address }) => ({ alias: name, hostName: address, user: 'admin' })),
    );
  }

  async host(alias: string, options?: CallOptions): Promise<VmHost> {
    options?.signal?.throwIfAborted();
    const plan = this.#plans.find(({ machines }) => machines.some(({ name }) => name === alias));
    const found = plan && (await this.#build(plan)).machines.get(alias);
    if (found !== undefined) return new PlaygroundHost(found.machine, found.ledger);
    const known = this.#plans.flatMap(({ machines }) => machines).map(({ name }) => name);
    throw new MeshError({
      code: 'host.unreachable',
      userMessage: message('playground.no-host', { host: alias }),
      nextStep: message('playground.no-host.next', { hosts: known.join(', ') }),
    });
  }

  async close(): Promise<void> {
    const settled = await Promise.allSettled(this.#worlds.values());
    for (const world of settled) if (world.status === 'fulfilled') world.value.stop();
  }

  #build(plan: WorldPlan): Promise<World> {
    const present = this.#worlds.get(plan);
    if (present !== undefined) return present;
    const built = plan.build(this.#options);
    this.#worlds.set(plan, built);
    return built;
  }
}
