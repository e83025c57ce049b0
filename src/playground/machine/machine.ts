import type { Clock, PackageState, UnitState } from '../../mesh/ports.ts';
import { MachineFiles } from './files.ts';
import type { HttpAnswer } from './http.ts';
import type { Network } from './network.ts';
import { SIDECAR_PACKAGE, TOOLS } from './packages.ts';
import { CLOUD_DNS, resolve, type DnsmasqConfig, type Resolution } from './resolver.ts';
import type { Sidecar } from './sidecar.ts';
import { BASE_PROGRAMS, type Application, type MachineSpec } from './spec.ts';
import { startDnsmasq, type Outcome } from './units.ts';

const RESTART_MS = 10_000;
interface UnitRecord {
  enabled: boolean;
  startedAt?: Date;
  outcome?: Outcome;
  pid: number;
}

/** One embedded machine: disk, users, packages, units. What runs follows from the files, as on a Debian machine. */
export class Machine {
  readonly name: string;
  readonly address: string;
  readonly debian: string;
  readonly files = new MachineFiles();
  readonly users = new Set(['root', 'admin', 'nobody']);
  readonly groups = new Set(['root', 'admin', 'nogroup']);
  readonly bootedAt: Date;
  readonly network: Network;
  readonly clock: Clock;
  readonly sidecar: Sidecar;
  readonly #application: Application | undefined;
  readonly #units = new Map<string, UnitRecord>();
  readonly #packages = new Map<string, { version: string; status: string }>();
  #dnsmasq: DnsmasqConfig | undefined;
  #nextPid = 600;

  constructor({ name, address, debian, tools, application }: MachineSpec, network: Network, clock: Clock, sidecar: Sidecar) {
    this.name = name;
    this.address = address;
    this.debian = debian;
    this.network = network;
    this.clock = clock;
    this.sidecar = sidecar;
    this.#application = application;
    this.bootedAt = clock.now();
    network.addMachine(address, this);
    this.files.write('/etc/hostname', `${name}\n`);
    this.files.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
    this.files.write('/etc/resolv.conf', `nameserver ${CLOUD_DNS}\n`);
    this.files.write('/etc/os-release', `PRETTY_NAME="Debian GNU/Linux ${debian} (playground)"\nID=debian\nVERSION_ID="${debian}"\n`);
    for (const tool of tools) this.installTool(tool);
    if (application === undefined) return;
    this.#units.set(application.name, { enabled: true, pid: 0 });
    this.start(application.name);
  }

  // ---- packages

  packageState(name: string): PackageState {
    return { name, ...this.#packages.get(name) };
  }

  has(program: string): boolean {
    if (BASE_PROGRAMS.includes(program) || this.files.get(`/usr/local/bin/${program}`) !== undefined) return true;
    return Object.entries(TOOLS).some(
      ([name, tool]) => this.#packages.get(name)?.status === 'install ok installed' && tool.programs.includes(program),
    );
  }

  /** Installs a tool of the distribution; false where it has none of that name. */
  installTool(name: string): boolean {
    const tool = TOOLS[name];
    if (!tool) return false;
    if (this.#packages.get(name)?.status === 'install ok installed') return true;
    this.#packages.set(name, { version: tool.version, status: 'install ok installed' });
    if (name === 'dnsmasq') {
      this.files.write('/etc/dnsmasq.conf', '# Configuration file for dnsmasq.\n');
      this.#units.set('dnsmasq', { enabled: true, pid: 0 });
      this.start('dnsmasq');
    }
    return true;
  }

  installSidecar(version: string): void {
    this.#packages.set(SIDECAR_PACKAGE, { version, status: 'install ok installed' });
    this.users.add('istio-proxy');
    this.groups.add('istio-proxy');
    this.sidecar.unpack(this);
    for (const unit of this.sidecar.units) if (!this.#units.has(unit)) this.#units.set(unit, { enabled: false, pid: 0 });
  }

  purge(name: string): void {
    this.#packages.delete(name);
    const units = name === SIDECAR_PACKAGE ? this.sidecar.units : [name];
    for (const unit of units) {
      this.stop(unit);
      this.#units.delete(unit);
    }
    if (name === SIDECAR_PACKAGE) this.sidecar.purge(this);
    if (name === 'dnsmasq') this.files.set('/etc/dnsmasq.conf', undefined);
  }

  // ---- units

  start(unit: string): boolean {
    const record = this.#units.get(unit);
    if (!record) return false;
    if (record.startedAt) return true;
    record.startedAt = this.clock.now();
    record.pid = this.#nextPid += 7;
    record.outcome = this.#begin(unit);
    this.#tellSidecar(unit);
    return true;
  }

  stop(unit: string): void {
    const record = this.#units.get(unit);
    if (!record) return;
    const ran = record.startedAt !== undefined;
    record.startedAt = undefined;
    record.outcome = undefined;
    if (unit === 'dnsmasq') this.#dnsmasq = undefined;
    else if (ran && this.sidecar.units.includes(unit)) this.sidecar.stop(unit, this);
    this.#tellSidecar(unit);
  }

  enable(unit: string, enabled: boolean): boolean {
    const record = this.#units.get(unit);
    if (record) record.enabled = enabled;
    return record !== undefined;
  }

  unitState(unit: string): UnitState {
    const record = this.#units.get(unit);
    if (!record) return { name: unit, load: 'not-found', active: 'inactive', sub: 'dead', enabled: '', restarts: 0 };
    const enabled = record.enabled ? 'enabled' : 'disabled';
    const outcome = this.#outcome(unit, record);
    if (!record.startedAt || !outcome) return { name: unit, load: 'loaded', active: 'inactive', sub: 'dead', enabled, restarts: 0 };
    const since = record.startedAt.toISOString();
    if (!outcome.exits) return { name: unit, load: 'loaded', active: 'active', sub: 'running', enabled, restarts: 0, since };
    const restarts = 1 + Math.floor((this.clock.now().getTime() - record.startedAt.getTime()) / RESTART_MS);
    return {
      name: unit,
      load: 'loaded',
      active: 'activating',
      sub: 'auto-restart',
      enabled,
      restarts,
      since,
      log: this.journal(unit).join('\n'),
    };
  }

  /** Log lines of a unit, each with the time of its start (citadel facts 10: `<RFC3339Nano>\t<level>\t<text>`). */
  journal(unit: string): readonly string[] {
    const record = this.#units.get(unit);
    const outcome = record && this.#outcome(unit, record);
    return (outcome?.log ?? []).map((line) => `${(record?.startedAt ?? this.bootedAt).toISOString()}\t${line}`);
  }

  pid(unit: string): number {
    return this.#units.get(unit)?.pid ?? 0;
  }

  /** Stops all, loses what lies in memory, and starts what is enabled. */
  reboot(): void {
    const units = [...this.#units];
    for (const [unit] of units) this.stop(unit);
    for (const path of this.files.below('/run')) this.files.set(path, undefined);
    for (const [unit, { enabled }] of units) if (enabled) this.start(unit);
  }

  // ---- network

  applications(): readonly Application[] {
    return this.#application === undefined ? [] : [this.#application];
  }

  /** What an application that runs answers on the port; undefined where none listens. */
  answer(port: number, url: URL, headers: Readonly<Record<string, string>> = {}): HttpAnswer | undefined {
    const found = this.applications().find(({ name, ports }) => ports.includes(port) && this.#units.get(name)?.startedAt !== undefined);
    if (found === undefined) return undefined;
    return { kind: 'answer', throughEnvoy: false, ...found.answer(this, url, headers) };
  }

  /** A name as its C library looks it up: /etc/hosts before DNS. */
  lookUp(name: string): Resolution {
    for (const line of (this.files.text('/etc/hosts') ?? '').split('\n')) {
      const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
      if (names.includes(name)) return { kind: 'address', address, server: '/etc/hosts' };
    }
    return this.resolve(name);
  }

  /** A name as its DNS answers it. */
  resolve(name: string): Resolution {
    const found = resolve(name, this.files, this.#dnsmasq, this.network);
    const own = this.sidecar.answersName(this, name);
    return own === undefined ? found : { kind: 'address', address: own, server: found.server };
  }

  #tellSidecar(unit: string): void {
    if (!this.sidecar.units.includes(unit)) this.sidecar.changed(this);
  }

  #begin(unit: string): Outcome {
    if (this.sidecar.units.includes(unit)) return this.sidecar.start(unit, this);
    if (unit !== 'dnsmasq') return { exits: false, log: [`${unit}: ready`] };
    const outcome = startDnsmasq(this.files);
    this.#dnsmasq = outcome.config;
    return outcome;
  }

  #outcome(unit: string, record: UnitRecord): Outcome | undefined {
    if (!record.startedAt || !record.outcome) return undefined;
    if (this.sidecar.units.includes(unit)) record.outcome = this.sidecar.present(unit, this, record.outcome);
    else if (record.outcome.exits) record.outcome = this.#begin(unit);
    return record.outcome;
  }
}
