import type {
  CallOptions,
  CommandOutput,
  HostCommand,
  HostFacts,
  HostManifest,
  HostState,
  PackageFile,
  PackageState,
  ProbeRequest,
  PushRequest,
  PushResult,
  RemoteFile,
  UnitChange,
  UnitState,
  VmHost,
} from '../../mesh/ports.ts';
import { pause } from '../pause.ts';
import { certificateFacts } from './certificateFacts.ts';
import { runCommand } from './commands.ts';
import { hostError } from './errors.ts';
import { sha256 } from './files.ts';
import type { Ledger } from './ledger.ts';
import type { Machine } from './machine.ts';
import { SIDECAR_PACKAGE } from './packages.ts';
import { tokenFacts } from './tokenFacts.ts';

const ROUND_TRIP_MS = 30;
const INSTALL_MS = 400;

/** An embedded machine behind the same port as a real one over SSH. It has no shell: every verb works on the machine's state. */
export class PlaygroundHost implements VmHost {
  readonly alias: string;
  readonly #machine: Machine;
  readonly #ledger: Ledger;

  constructor(machine: Machine, ledger: Ledger) {
    this.alias = machine.name;
    this.#machine = machine;
    this.#ledger = ledger;
  }

  async probe(request: ProbeRequest, options?: CallOptions): Promise<HostState> {
    await this.#wait(ROUND_TRIP_MS, options);
    return {
      facts: request.facts === true ? this.#facts() : undefined,
      files: (request.files ?? []).map(({ path, want }) => this.#file(path, want)),
      units: (request.units ?? []).map((name) => this.#machine.unitState(name)),
      packages: (request.packages ?? []).map((name) => this.#machine.packageState(name)),
      ...(request.resolve === undefined ? {} : { resolved: this.#resolved(request.resolve) }),
      programs: Object.fromEntries((request.programs ?? []).map((name) => [name, this.#machine.has(name)])),
      manifest: request.manifest === true ? this.#ledger.manifest : undefined,
    };
  }

  async push(request: PushRequest, options?: CallOptions): Promise<PushResult> {
    await this.#wait(ROUND_TRIP_MS, options);
    return this.#ledger.push(request);
  }

  async rollback(options?: CallOptions): Promise<PushResult> {
    await this.#wait(ROUND_TRIP_MS, options);
    return this.#ledger.rollback();
  }

  async restoreOriginals(options?: CallOptions): Promise<PushResult> {
    await this.#wait(ROUND_TRIP_MS, options);
    return this.#ledger.restoreOriginals();
  }

  async installPackage(
    file: PackageFile,
    creates: HostManifest['created'],
    options?: CallOptions & { readonly owner: HostManifest['owner'] },
  ): Promise<PackageState> {
    await this.#wait(INSTALL_MS, options);
    if (file.name !== SIDECAR_PACKAGE) throw hostError('host.package', 'unknown-package', { host: this.alias, name: file.name });
    const { sidecar } = this.#machine;
    if (!sidecar.accepts(file.version))
      throw hostError(
        'host.package',
        'other-package',
        { host: this.alias, version: file.version, example: sidecar.example },
        { next: true },
      );
    const before = this.#machine.packageState(file.name).version;
    if (before === file.version) return this.#machine.packageState(file.name);
    if (options?.owner) {
      this.#ledger.open(options.owner);
      this.#ledger.remember({
        paths: creates.paths.filter((path) => !this.#machine.files.isDirectory(path) && !this.#machine.files.get(path)),
        users: creates.users.filter((user) => !this.#machine.users.has(user)),
        groups: creates.groups.filter((group) => !this.#machine.groups.has(group)),
      });
      this.#recordPackage(file.name, file.version, before);
    }
    this.#machine.installSidecar(file.version);
    return this.#machine.packageState(file.name);
  }

  async installTools(
    names: readonly string[],
    options?: CallOptions & { readonly owner: HostManifest['owner'] },
  ): Promise<readonly PackageState[]> {
    await this.#wait(INSTALL_MS, options);
    for (const name of names) {
      const before = this.#machine.packageState(name).version;
      if (!this.#machine.installTool(name)) throw hostError('host.package', 'unknown-package', { host: this.alias, name });
      const { version } = this.#machine.packageState(name);
      if (before !== undefined || version === undefined || !options?.owner) continue;
      this.#ledger.open(options.owner);
      this.#recordPackage(name, version, undefined);
    }
    return names.map((name) => this.#machine.packageState(name));
  }

  async removePackages(names: readonly string[], options?: CallOptions): Promise<readonly PackageState[]> {
    await this.#wait(INSTALL_MS, options);
    const ours = new Set((this.#ledger.manifest?.packages ?? []).filter((entry) => entry.before === undefined).map((entry) => entry.name));
    for (const name of names) if (ours.has(name)) this.#machine.purge(name);
    this.#ledger.update({ packages: (this.#ledger.manifest?.packages ?? []).filter((entry) => !names.includes(entry.name)) });
    return names.map((name) => this.#machine.packageState(name));
  }

  async removeCreated(options?: CallOptions): Promise<void> {
    await this.#wait(ROUND_TRIP_MS, options);
    this.#ledger.removeCreated();
  }

  async setUnits(change: UnitChange, options?: CallOptions & { readonly owner?: HostManifest['owner'] }): Promise<readonly UnitState[]> {
    await this.#wait(ROUND_TRIP_MS, options);
    const { enable = [], disable = [], start = [], restart = [], stop = [] } = change;
    const names = [...new Set([...enable, ...disable, ...start, ...restart, ...stop])];
    const before = names.map((name) => this.#machine.unitState(name));
    const absent = before.find((unit) => unit.load === 'not-found' && ![...stop, ...disable].includes(unit.name));
    if (absent) throw hostError('host.unit', 'no-unit', { host: this.alias, unit: absent.name }, { next: true });
    if (options?.owner) {
      const manifest = this.#ledger.open(options.owner);
      const known = new Set(manifest.units.map((unit) => unit.name));
      const records = before
        .filter((unit) => !known.has(unit.name))
        .map((unit) => ({ name: unit.name, enabledBefore: unit.enabled, activeBefore: unit.active }));
      this.#ledger.update({ units: [...manifest.units, ...records] });
    }
    for (const name of disable) this.#machine.enable(name, false);
    for (const name of enable) this.#machine.enable(name, true);
    for (const name of [...stop, ...restart]) this.#machine.stop(name);
    for (const name of [...restart, ...start]) this.#machine.start(name);
    if (start.length + restart.length > 0) await this.#wait(Math.min(change.settleMs ?? 3000, 500), options);
    const failing = [...restart, ...start].map((name) => this.#machine.unitState(name)).find((unit) => unit.active !== 'active');
    if (failing)
      throw hostError('host.unit', 'unit-failed', { host: this.alias, unit: failing.name, log: failing.log ?? '' }, { next: true });
    return names.map((name) => this.#machine.unitState(name));
  }

  async run(command: HostCommand, options?: CallOptions): Promise<CommandOutput> {
    const since = this.#machine.clock.now().getTime();
    await this.#wait(ROUND_TRIP_MS, options);
    const result = runCommand(this.#machine, command.argv, command.asRoot === true);
    const limit = command.timeoutMs ?? 30_000;
    if (result.takesMs > 0) await this.#wait(Math.min(result.takesMs, limit, 1500), options);
    const timedOut = result.takesMs > limit;
    return {
      exitCode: timedOut ? 124 : result.exitCode,
      stdout: result.stdout,
      stderr: result.stderr,
      durationMs: this.#machine.clock.now().getTime() - since,
      timedOut,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #wait(milliseconds: number, options?: CallOptions): Promise<void> {
    await pause(this.#machine.clock, milliseconds, options);
    await this.#machine.sidecar.settle(this.#machine);
  }

  #recordPackage(name: string, version: string, before: string | undefined): void {
    const others = (this.#ledger.manifest?.packages ?? []).filter((entry) => entry.name !== name);
    const known = this.#ledger.manifest?.packages.find((entry) => entry.name === name);
    this.#ledger.update({ packages: [...others, { name, version, before: known ? known.before : before }] });
  }

  #facts(): HostFacts {
    const dnsmasq = this.#machine.unitState('dnsmasq').active === 'active';
    return {
      hostname: this.alias,
      addresses: [{ address: this.#machine.address, interface: 'eth0' }],
      hostnameAddress: '127.0.1.1',
      os: { id: 'debian', version: this.#machine.debian, architecture: 'amd64', packages: 'deb' },
      loginUser: 'admin',
      sudo: 'passwordless',
      resolvConf: { kind: 'file' },
      port53: dnsmasq ? [{ process: 'dnsmasq', address: '0.0.0.0' }] : [],
      clockOffsetSeconds: 0,
      bootedAt: this.#machine.bootedAt.toISOString(),
    };
  }

  #file(path: string, want: 'text' | 'certificate' | 'token' | 'hash' | undefined): RemoteFile {
    const entry = this.#machine.files.get(path);
    if (!entry) return this.#directory(path);
    const { mode, owner, group } = entry;
    const text = Buffer.from(entry.bytes).toString('utf8');
    const isKey = text.includes('PRIVATE KEY-----');
    return {
      path,
      exists: true,
      kind: 'file',
      mode,
      owner,
      group,
      size: entry.bytes.length,
      sha256: sha256(entry.bytes),
      text: want === 'text' && !isKey ? text : undefined,
      certificate: want === 'certificate' ? certificateFacts(entry) : undefined,
      token: want === 'token' ? tokenFacts(text) : undefined,
    };
  }

  #resolved(names: readonly string[]): NonNullable<HostState['resolved']> {
    return Object.fromEntries(
      names.map((name) => {
        const found = this.#machine.lookUp(name);
        return [name, found.kind === 'address' ? [found.address] : []];
      }),
    );
  }

  #directory(path: string): RemoteFile {
    const { files } = this.#machine;
    const entry = files.directory(path);
    if (entry === undefined) return { path, exists: false };
    return { path, exists: true, kind: files.isLink(path) ? 'link' : 'directory', ...entry };
  }
}
