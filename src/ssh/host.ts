import type {
  CallOptions,
  CommandOutput,
  HostCommand,
  HostManifest,
  HostState,
  PackageFile,
  PackageState,
  ProbeRequest,
  PushRequest,
  PushResult,
  UnitChange,
  UnitState,
  VmHost,
} from '../mesh/ports.ts';
import { removeCreated } from './leave.ts';
import { installPackage, installTools, removePackages } from './packages.ts';
import { probe } from './probe.ts';
import { push } from './push.ts';
import { restoreOriginals, rollback } from './restore.ts';
import { run } from './run.ts';
import type { HostSession } from './session.ts';
import { setUnits } from './units.ts';

type Owned = CallOptions & { readonly owner: HostManifest['owner'] };

/** VmHost over one SSH session. Each verb is in a file of its own. */
export class SshHost implements VmHost {
  readonly alias: string;
  readonly #session: HostSession;

  constructor(session: HostSession) {
    this.alias = session.alias;
    this.#session = session;
  }

  probe(request: ProbeRequest, options?: CallOptions): Promise<HostState> {
    return probe(this.#session, request, options);
  }

  push(request: PushRequest, options?: CallOptions): Promise<PushResult> {
    return push(this.#session, request, options);
  }

  rollback(options?: CallOptions): Promise<PushResult> {
    return rollback(this.#session, options);
  }

  restoreOriginals(options?: CallOptions): Promise<PushResult> {
    return restoreOriginals(this.#session, options);
  }

  installPackage(file: PackageFile, creates: HostManifest['created'], options?: Owned): Promise<PackageState> {
    return installPackage(this.#session, file, creates, options);
  }

  installTools(names: readonly string[], options?: Owned): Promise<readonly PackageState[]> {
    return installTools(this.#session, names, options);
  }

  removePackages(names: readonly string[], options?: CallOptions): Promise<readonly PackageState[]> {
    return removePackages(this.#session, names, options);
  }

  removeCreated(options?: CallOptions): Promise<void> {
    return removeCreated(this.#session, options);
  }

  setUnits(change: UnitChange, options?: CallOptions & { readonly owner?: HostManifest['owner'] }): Promise<readonly UnitState[]> {
    return setUnits(this.#session, change, options);
  }

  run(command: HostCommand, options?: CallOptions): Promise<CommandOutput> {
    return run(this.#session, command, options);
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
