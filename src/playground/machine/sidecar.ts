import type { HttpAnswer } from './http.ts';
import type { Machine } from './machine.ts';
import type { Process } from './processes.ts';
import type { Outcome } from './units.ts';

/** One machine's sidecar, of one generation of Istio: what its package brings and how its processes fare. */
export interface Sidecar {
  readonly units: readonly string[];
  /** A package that it is made of. */
  readonly example: string;
  /** False for a package of another generation. */
  accepts(version: string): boolean;
  /** What dpkg and the package's scripts leave on the disk. */
  unpack(machine: Machine): void;
  /** Programs, units and conffiles go; what the scripts made stays, as dpkg leaves it. */
  purge(machine: Machine): void;
  /** A process starts on the files as they are now. */
  start(unit: string, machine: Machine): Outcome;
  /** How a process that was started fares now. */
  present(unit: string, machine: Machine, outcome: Outcome): Outcome;
  stop(unit: string, machine: Machine): void;
  processes(machine: Machine): readonly Process[];
  /** What it would take of an ordinary user's connections, while it runs; `dns`: also what it asks name servers. */
  captures(machine: Machine): { readonly active: boolean; readonly cidrs: string; readonly dns?: boolean };
  /** A name that its own DNS answers; undefined where it leaves the name to the machine's resolver. */
  answersName(machine: Machine, name: string): string | undefined;
  /** Who answers on the machine's own ports. */
  answersPort(machine: Machine, port: number, url: URL): HttpAnswer | undefined;
  /** Where a connection that is not captured ends: at a control plane, or nowhere. */
  dials(address: string, port: number, serverName: string): 'istiod' | 'refused' | 'timeout';
  /** True where a client that trusts this root takes the control plane's certificate. */
  isTrustedBy(root: string): boolean;
  /** What the callee's sidecar adds to a request of this machine: who both are. */
  identityHeaders(machine: Machine, callee: Machine): Readonly<Record<string, string>>;
  /** Something else on the machine changed: a unit, a file. */
  changed(machine: Machine): void;
  /** Waits for what it has under way and is due by now. */
  settle(machine: Machine): Promise<void>;
}
