// The shape of one long-running process of a lab, and the checks that say it is ready.

/** How to tell that a process serves: an HTTP(S) URL that answers 2xx, or a TCP address `ip:port` that accepts. Asked from inside the cluster's namespace. */
export type Readiness = { url: string } | { tcp: string };

/** One process of the cluster part of a lab; started in order, in its network namespace, its output in `logs/<name>.log` of the lab's state directory. */
export interface ManagedProcess {
  /** Unique in the lab; names the log and the pid file: lower case letters, digits, `-`. */
  name: string;
  argv: readonly [string, ...string[]];
  netns: 'cluster';
  env?: Readonly<Record<string, string>>;
  /** A pod address (no prefix length) to add to the bridge before the process starts. */
  address?: string;
  ready?: Readiness;
}

/** Where what takes long is kept (binaries, the machines' root), and how progress is told. */
export interface BuildContext {
  /** Absolute directory for whatever is built; survives labs. */
  cacheDirectory: string;
  /** One line for a person, on stderr. */
  report: (line: string) => void;
  signal?: AbortSignal;
}
