import type { Clock, PackageState, UnitState } from '../../mesh/ports.ts';
import { MachineFiles, readEnv } from './files.ts';
import type { Network } from './network.ts';
import { purgeSidecar, SIDECAR_PACKAGE, TOOLS, unpackSidecar } from './packages.ts';
import { CLOUD_DNS, resolve, type DnsmasqConfig, type Resolution } from './resolver.ts';
import { NODE_AGENT, startDnsmasq, startIstio, startNodeAgent, type Outcome } from './units.ts';

const RESTART_MS = 10_000;
const SIDECAR_UNITS: readonly string[] = ['istio', NODE_AGENT];

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
  readonly files = new MachineFiles();
  readonly users = new Set(['root', 'admin', 'nobody']);
  readonly groups = new Set(['root', 'admin', 'nogroup']);
  readonly bootedAt: Date;
  readonly network: Network;
  readonly clock: Clock;
  readonly #units = new Map<string, UnitRecord>();
  readonly #packages = new Map<string, { version: string; status: string }>();
  #dnsmasq: DnsmasqConfig | undefined;
  #istioEnv: Readonly<Record<string, string>> = {};
  #nextPid = 600;

  constructor(name: string, address: string, network: Network, clock: Clock) {
    this.name = name;
    this.address = address;
    this.network = network;
    this.clock = clock;
    this.bootedAt = clock.now();
    network.addMachine(address, name);
    this.files.write('/etc/hostname', `${name}\n`);
    this.files.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
    this.files.write('/etc/resolv.conf', `nameserver ${CLOUD_DNS}\n`);
    this.files.write('/etc/os-release', 'PRETTY_NAME="Debian GNU/Linux 11 (playground)"\nID=debian\nVERSION_ID="11"\n');
    for (const tool of ['curl', 'procps', 'iproute2', 'dnsmasq']) this.installTool(tool);
  }

  // ---- packages

  packageState(name: string): PackageState {
    return { name, ...this.#packages.get(name) };
  }

  has(program: string): boolean {
    if (
      [
        'sh',
        'bash',
        'cat',
        'openssl',
        'systemctl',
        'journalctl',
        'dpkg',
        'apt-get',
        'getent',
        'hostname',
        'dhclient',
        'ls',
        'stat',
        'id',
      ].includes(program)
    )
      return true;
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
    unpackSidecar(this.files);
    for (const unit of SIDECAR_UNITS) if (!this.#units.has(unit)) this.#units.set(unit, { enabled: false, pid: 0 });
  }

  purge(name: string): void {
    this.#packages.delete(name);
    const units = name === SIDECAR_PACKAGE ? SIDECAR_UNITS : [name];
    for (const unit of units) {
      this.stop(unit);
      this.#units.delete(unit);
    }
    if (name === SIDECAR_PACKAGE) purgeSidecar(this.files);
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
    return true;
  }

  stop(unit: string): void {
    const record = this.#units.get(unit);
    if (!record) return;
    record.startedAt = undefined;
    record.outcome = undefined;
    if (unit === 'dnsmasq') this.#dnsmasq = undefined;
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

  /** True where a sidecar that runs would take a connection of an ordinary user; `cidrs` is what istio was started with. */
  capture(): { readonly active: boolean; readonly cidrs: string } {
    const { active } = this.unitState('istio');
    return { active: active === 'active', cidrs: this.#istioEnv.ISTIO_SERVICE_CIDR ?? '' };
  }

  resolve(name: string): Resolution {
    return resolve(name, this.files, this.#dnsmasq, this.network);
  }

  #begin(unit: string): Outcome {
    const context = { files: this.files, network: this.network, now: this.clock.now(), resolve: (name: string) => this.resolve(name) };
    if (unit === 'dnsmasq') {
      const outcome = startDnsmasq(context);
      this.#dnsmasq = outcome.config;
      return outcome;
    }
    if (unit === NODE_AGENT) return startNodeAgent(context);
    this.#istioEnv = {
      ...readEnv(this.files.text('/var/lib/istio/envoy/sidecar.env')),
      ...readEnv(this.files.text('/var/lib/istio/envoy/cluster.env')),
    };
    return startIstio(context);
  }

  // A process that died is started anew by systemd, and one that lives tries its peers again: the outcome follows the present.
  #outcome(unit: string, record: UnitRecord): Outcome | undefined {
    if (!record.startedAt) return undefined;
    if (unit !== 'dnsmasq' || record.outcome?.exits === true) record.outcome = this.#retry(unit, record);
    return record.outcome;
  }

  #retry(unit: string, record: UnitRecord): Outcome {
    if (unit !== 'istio' || record.outcome?.exits === true) return this.#begin(unit);
    const env = this.#istioEnv;
    const outcome = this.#begin(unit);
    this.#istioEnv = env;
    return outcome.exits ? (record.outcome ?? outcome) : outcome;
  }
}
