import type { CallOptions, HostPrompter, VmHost } from '../mesh/ports.ts';
import { SshHost } from './host.ts';
import { memoryTrustStore, type TrustStore } from './hostKey.ts';
import { HostSession } from './session.ts';

export { listHosts } from './config/aliases.ts';
export { createPackageFetcher } from './packageFetcher.ts';
export type { TrustStore } from './hostKey.ts';

export interface OpenHostOptions {
  /** Replaces ~/.ssh/config and the system's file, as `ssh -F`. */
  readonly configFile?: string;
  readonly prompter: HostPrompter;
  /** Where accepted host keys are remembered; default: as long as the host is open. */
  readonly trustStore?: TrustStore;
  readonly options?: CallOptions;
}

/** Connects to an SSH host by its alias. Throws the connection errors of VmHost (ports.ts), and `host.name`, `host.config`. */
export async function openHost(alias: string, { configFile, prompter, trustStore, options }: OpenHostOptions): Promise<VmHost> {
  const session = new HostSession(alias, { configFile, prompter, trustStore: trustStore ?? memoryTrustStore(), noted: new Set() });
  await session.connect(options?.signal);
  return new SshHost(session);
}
