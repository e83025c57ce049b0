import type { CallOptions, HostState, ProbeRequest, VmHost } from '../ports.ts';

/** One look at a VM shared by the steps of a plan: asked once, and again after a step changed something. */
export class HostView {
  readonly #host: VmHost;
  readonly #request: ProbeRequest;
  #state: HostState | undefined;

  constructor(host: VmHost, request: ProbeRequest) {
    this.#host = host;
    this.#request = request;
  }

  async read(options?: CallOptions): Promise<HostState> {
    this.#state ??= await this.#host.probe(this.#request, options);
    return this.#state;
  }

  /** Does a change; what was seen before it counts no longer, also where it failed. */
  async change<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#state = undefined;
    }
  }
}
