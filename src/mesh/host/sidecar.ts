import type { VmScope } from '../era.ts';
import type { MeshError } from '../errors.ts';
import type { Message } from '../messages.ts';
import type { EraId, GeneratedFile } from '../model.ts';
import type { StepDetail } from '../plan.ts';
import type { CallOptions, HostCommand, HostManifest, HostState, ProbeRequest, PushDirectory, UnitState, VmHost } from '../ports.ts';

/** A program that the machine must have, and the package of its own repositories that brings it. `unit`: the program counts only with its unit. */
export interface Need {
  readonly program: string;
  readonly package: string;
  /** Its name where packages are rpms; default: the same. */
  readonly rpm?: string;
  readonly unit?: string;
}

/** A generated file as it goes to the machine. */
export interface Adapted {
  readonly file: GeneratedFile;
  /** Its content was made from what the machine has there: that must still be so when it is replaced. */
  readonly madeFromHost?: boolean;
}

/** Why a unit does not stay up. */
export interface UnitTrouble {
  readonly log: string;
  readonly why?: { readonly id: string; readonly args?: Message['args']; readonly next: Message };
}

/** What an era tells the shared steps about its sidecar on a VM; everything that changes a VM is done by them. */
export interface Sidecar {
  readonly era: EraId;
  /** Packages of the sidecar, the one that a join installs first. */
  readonly packages: readonly string[];
  /** What to name when the package is asked for. */
  readonly packageHint: Message;
  readonly needs: readonly Need[];
  /** What the package's scripts make beyond its files: leave takes away what was not there before. */
  readonly creates: HostManifest['created'];
  /** Directories that a push makes. */
  readonly directories?: readonly PushDirectory[];
  /** systemd units, in the order in which they are started. */
  readonly units: readonly string[];
  /** The unit that puts the capture rules into the kernel. */
  readonly capturing: string;
  /** Everything that the steps and the status of a VM rest on, in one request. */
  probe(files: readonly GeneratedFile[]): ProbeRequest;
  /** What takes the capture rules away; empty where nothing of the sidecar is there. Rules that are not there are no error: exit codes are not believed. */
  cleanCommands(state: HostState): readonly HostCommand[];
  /** The files that go to this machine, given what is there now; default: the generated ones. */
  adapt?(scope: VmScope, files: readonly GeneratedFile[], state: HostState): readonly Adapted[];
  /** Message id of what is wrong with a version of the package; undefined where nothing is known. */
  packageDefect?(version: string): string | undefined;
  /** What stands in the way of a join or push; undefined where nothing does. */
  obstacle(scope: VmScope, state: HostState, files: readonly GeneratedFile[]): MeshError | undefined;
  /** What a person should know before a join. */
  notes?(scope: VmScope, state: HostState, files: readonly GeneratedFile[]): readonly StepDetail[];
  /** Reads why a unit of the sidecar is down. */
  unitTrouble(host: VmHost, unit: UnitState, options?: CallOptions): Promise<UnitTrouble>;
}
