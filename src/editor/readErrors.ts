import type * as vscode from 'vscode';
import type { MeshError } from '../mesh/errors.ts';
import type { Facts } from './facts.ts';
import type { Log } from './log.ts';

/** Writes what went wrong when a cluster or a VM was read into the log, once: the tree's *Show Log* leads there. */
export function logReadErrors(facts: Facts, log: Log): vscode.Disposable {
  const logged = new Map<string, MeshError | undefined>();
  const note = (key: string, name: string, error: MeshError | undefined) => {
    if (logged.get(key) === error) return;
    logged.set(key, error);
    if (error !== undefined && error.kind !== 'cancelled') log.error(name, error);
  };
  return facts.onDidChange(() => {
    const { clusters, vms } = facts.known();
    for (const name of clusters) note(`cluster ${name}`, name, facts.cluster(name).error);
    for (const name of vms) note(`vm ${name}`, name, facts.vm(name).error);
  });
}
