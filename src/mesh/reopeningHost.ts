import { isMeshError } from './errors.ts';
import type { CallOptions, VmHost } from './ports.ts';

/** Opens, or gives the open connection; `drop` forgets a connection that was lost. */
export interface HostSource {
  open(options?: CallOptions): Promise<VmHost>;
  drop(host: VmHost): void;
}

/** A VM whose connection is opened again by the next call after it was lost (`host.lost`); the call that lost it still fails. */
export function reopeningHost(alias: string, source: HostSource): VmHost {
  const on = async <T>(options: CallOptions | undefined, verb: (host: VmHost) => Promise<T>): Promise<T> => {
    const host = await source.open(options);
    try {
      return await verb(host);
    } catch (error) {
      if (isMeshError(error, 'host.lost')) source.drop(host);
      throw error;
    }
  };
  return {
    alias,
    probe: (request, options) => on(options, (host) => host.probe(request, options)),
    push: (request, options) => on(options, (host) => host.push(request, options)),
    rollback: (options) => on(options, (host) => host.rollback(options)),
    restoreOriginals: (options) => on(options, (host) => host.restoreOriginals(options)),
    installPackage: (file, creates, options) => on(options, (host) => host.installPackage(file, creates, options)),
    installTools: (names, options) => on(options, (host) => host.installTools(names, options)),
    removePackages: (names, options) => on(options, (host) => host.removePackages(names, options)),
    removeCreated: (options) => on(options, (host) => host.removeCreated(options)),
    setUnits: (change, options) => on(options, (host) => host.setUnits(change, options)),
    run: (command, options) => on(options, (host) => host.run(command, options)),
    close: async () => {
      const host = await source.open();
      source.drop(host);
      await host.close();
    },
  };
}
