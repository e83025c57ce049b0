// What a part of the lab is told, and what it gives back to be started: the contract between the lab and its stand-ins.
/** How to tell that a process serves: a URL that answers 2xx, or a TCP address `ip:port` that accepts. Asked from the root namespace, so the address is one of the lab's, never loopback. */
export type Readiness = { url: string } | { tcp: string };

/** One process of the cluster part of a lab; its output goes to `logs/<name>.log` of the lab's state directory. */
export interface ManagedProcess {
  /** Unique in the lab; names its log and its cgroup: lower case letters, digits, `-`. */
  name: string;
  argv: readonly [string, ...string[]];
  /** The cluster's network namespace, or one that the pod has to itself: for a program that listens on every address. */
  netns: 'cluster' | { pod: string };
  env?: Readonly<Record<string, string>>;
  /** A pod address (no prefix length) to add to the bridge before the process starts; not for a pod with a namespace of its own. */
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
