import type { CallOptions } from './callOptions.ts';
import type { CertificateFacts, TokenFacts } from './model.ts';
import type { Message } from './messages.ts';
import type { Secret } from './secret.ts';

/** The port to a virtual machine. */

export interface HostFacts {
  readonly hostname: string;
  /** Global unicast addresses of the interfaces that are up; loopback, link-local and container bridges left out. */
  readonly addresses: readonly { readonly address: string; readonly interface: string }[];
  /** `hostname --ip-address`, first word: what istio-start.sh takes by default (citadel facts 4, ISTIO_SVC_IP). */
  readonly hostnameAddress?: string;
  /** `ID` and `VERSION_ID` of /etc/os-release; architecture as its packages call it (`amd64`, rpm: `x86_64`). */
  readonly os: { readonly id: string; readonly version: string; readonly architecture: string; readonly packages?: 'deb' | 'rpm' };
  readonly loginUser: string;
  readonly sudo: 'root' | 'passwordless' | 'password' | 'refused';
  /** What holds /etc/resolv.conf: a plain file, or the target of the link. */
  readonly resolvConf: { readonly kind: 'file' | 'link' | 'absent'; readonly target?: string };
  /** Process names that listen on port 53 (udp or tcp) with their addresses. */
  readonly port53: readonly { readonly process: string; readonly address: string }[];
  /** Offset of the VM's clock against this side in seconds, to within the round trip. */
  readonly clockOffsetSeconds: number;
  /** ISO 8601. */
  readonly bootedAt?: string;
}

export interface RemoteFile {
  readonly path: string;
  readonly exists: boolean;
  readonly kind?: 'file' | 'link' | 'directory' | 'other';
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
  readonly size?: number;
  readonly sha256?: string;
  /** Content of a small text file when asked for and not secret. */
  readonly text?: string;
  /** For a certificate or key when asked for: facts, never text. For a private key only the fingerprint of its public key is filled. */
  readonly certificate?: CertificateFacts;
  /** For a token when asked for: what it claims, never the token. */
  readonly token?: TokenFacts;
}

export interface UnitState {
  readonly name: string;
  readonly load: 'loaded' | 'not-found' | 'masked' | 'error';
  /** `active`, `activating`, `inactive`, `failed`... as systemd says. */
  readonly active: string;
  readonly sub: string;
  readonly enabled: string;
  readonly restarts: number;
  /** ISO 8601 time of the last change to active. */
  readonly since?: string;
  /** Last lines of its journal when it is not active. */
  readonly log?: string;
}

export interface PackageState {
  readonly name: string;
  /** Undefined when not installed. */
  readonly version?: string;
  /** dpkg's word, e.g. `install ok installed`, `deinstall ok config-files`; of an rpm `install ok installed`. */
  readonly status?: string;
}

export interface ProbeRequest {
  readonly facts?: boolean;
  readonly files?: readonly { readonly path: string; readonly want?: 'text' | 'certificate' | 'token' | 'hash' }[];
  readonly units?: readonly string[];
  readonly packages?: readonly string[];
  /** Programs to look for, e.g. `host`, `curl`. */
  readonly programs?: readonly string[];
  /** Host names to look up the way programs on the VM do. */
  readonly resolve?: readonly string[];
  readonly manifest?: boolean;
}

export interface HostState {
  readonly facts?: HostFacts;
  readonly files: readonly RemoteFile[];
  readonly units: readonly UnitState[];
  readonly packages: readonly PackageState[];
  readonly programs: Readonly<Record<string, boolean>>;
  /** Addresses by the host name that was asked for; empty where it has none there. */
  readonly resolved?: Readonly<Record<string, readonly string[]>>;
  readonly manifest?: HostManifest;
}

export interface PushFile {
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly content: string | Uint8Array | Secret;
  /** sha256 that the file on the VM must have ('absent': must not exist), else the push stops with `host.drift`. Undefined: any. */
  readonly expect?: string;
  /** Lines of the content that are this project's, for the manifest. */
  readonly ownLines?: readonly string[];
}

/** What this project did to a VM, kept on the VM (root only, no secrets): drift, rollback and leave rest on it. Times are ISO 8601. */
export interface HostManifest {
  readonly version: 1;
  /** Who the VM was joined to. */
  readonly owner: { readonly vm: string; readonly cluster: string; readonly era: string; readonly release: string };
  readonly generation: number;
  readonly files: readonly {
    readonly path: string;
    readonly sha256: string;
    readonly mode: number;
    readonly owner: string;
    readonly group: string;
    readonly time: string;
    readonly original: 'absent' | 'kept';
    /** Lines that a push has put into a file that is the machine's own. */
    readonly ownLines?: readonly string[];
  }[];
  readonly packages: readonly { readonly name: string; readonly version: string; readonly before?: string }[];
  readonly units: readonly { readonly name: string; readonly enabledBefore: string; readonly activeBefore: string }[];
  /** Paths, users and groups that were absent before and that `removeCreated` takes away again. */
  readonly created: { readonly paths: readonly string[]; readonly users: readonly string[]; readonly groups: readonly string[] };
}

/** A directory that files are pushed into, or that a program of the VM writes into. `path`: absolute. */
export interface PushDirectory {
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

export interface PushRequest {
  readonly owner: HostManifest['owner'];
  readonly files: readonly PushFile[];
  /**
   * Made before the files where missing, with everything missing above them (root's, 0755), and remembered in the manifest's created paths, so that
   * `removeCreated` takes them away. One of those paths, or below one (an earlier push or the package made it), gets this owner and mode; any other
   * that was there before is the machine's own and stays as it is. What lies in them is not touched.
   */
  readonly directories?: readonly PushDirectory[];
  /** Files of an earlier push that are no longer wanted: their originals come back. */
  readonly drop?: readonly string[];
}

export interface PushResult {
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly generation: number;
}

export interface PackageFile {
  /** Default: deb. */
  readonly format?: 'deb' | 'rpm';
  readonly name: string;
  /** Of an rpm: `version-release`, with `epoch:` in front where it has one. */
  readonly version: string;
  readonly architecture: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  /** Where it came from, for the plan's text. */
  readonly source: string;
  /** It came over plain http and was compared with no checksum: whoever is on the way could have changed it. */
  readonly unverified?: boolean;
}

export interface UnitChange {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
  readonly start?: readonly string[];
  readonly restart?: readonly string[];
  readonly stop?: readonly string[];
  /** Milliseconds that a started unit must stay active before it counts; default 3000. */
  readonly settleMs?: number;
}

export interface HostCommand {
  readonly argv: readonly string[];
  readonly asRoot?: boolean;
  readonly timeoutMs?: number;
}

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
}

/**
 * One VM over one connection. Every verb is idempotent, cancellable (the remote process is gone within 2 s), and leaves the old or the new state.
 * Errors (all MeshError): `host.unreachable`, `host.key-unknown`, `host.key-changed`, `host.key-revoked`, `host.auth-failed` (kind person),
 * `host.option-unsupported`, `host.sudo-refused`, `host.sudo-password` (kind person), `host.lost`, `host.disk-full`, `host.read-only`, `host.drift` (kind person),
 * `host.package`, `host.unit`, `host.command`, `host.timeout`, `host.busy` (another change holds the lock), `host.owner` (no such user or group on the VM),
 * `host.path-unsafe`, `host.manifest`, `host.nothing` (no earlier generation), `host.name`, `host.path`, `host.word`, `host.config` (ssh -G refuses), `cancelled`.
 */
export interface VmHost {
  readonly alias: string;
  probe(request: ProbeRequest, options?: CallOptions): Promise<HostState>;
  /** All or nothing (design: A push is all or nothing); finishes or undoes a broken earlier push first. Unchanged files are not touched. */
  push(request: PushRequest, options?: CallOptions): Promise<PushResult>;
  /** Back to the generation before the last push. */
  rollback(options?: CallOptions): Promise<PushResult>;
  /** Files of the manifest back to what they were before the first push. */
  restoreOriginals(options?: CallOptions): Promise<PushResult>;
  /** dpkg -i or rpm -U of a package sent over this connection, settings that were changed on the VM kept; `creates`: what the package makes beyond its files, remembered for leave where absent before. */
  installPackage(
    file: PackageFile,
    creates: HostManifest['created'],
    options?: CallOptions & { readonly owner: HostManifest['owner'] },
  ): Promise<PackageState>;
  /** Packages of the machine's own repositories (apt-get --no-install-recommends). */
  installTools(
    names: readonly string[],
    options?: CallOptions & { readonly owner: HostManifest['owner'] },
  ): Promise<readonly PackageState[]>;
  /** Purges packages that the manifest says we installed; others are left alone and named in the answer as still installed. */
  removePackages(names: readonly string[], options?: CallOptions): Promise<readonly PackageState[]>;
  /** Removes created users, groups, paths and the manifest itself. */
  removeCreated(options?: CallOptions): Promise<void>;
  /** Runs detached on the VM: losing the connection is expected and survived. Units' earlier state goes into the manifest. */
  setUnits(change: UnitChange, options?: CallOptions & { readonly owner?: HostManifest['owner'] }): Promise<readonly UnitState[]>;
  /** Runs one command without a shell of its own; a non-zero exit code is an answer, not an error. */
  run(command: HostCommand, options?: CallOptions): Promise<CommandOutput>;
  close(): Promise<void>;
}

/** Questions to the person while connecting. Without a terminal every answer is "no". */
export interface HostPrompter {
  /** Asked after disconnecting; `true`: reconnect and trust. */
  confirmHostKey(question: {
    readonly host: string;
    readonly address: string;
    readonly keyType: string;
    readonly fingerprint: string;
  }): Promise<boolean>;
  secret(question: {
    readonly kind: 'passphrase' | 'password' | 'sudo' | 'interactive';
    readonly host: string;
    readonly prompt: string;
    readonly echo: boolean;
  }): Promise<Secret | undefined>;
  note(text: Message): void;
}
