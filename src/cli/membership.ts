import { message, type Message } from '../mesh/messages.ts';
import type { Membership, WorkloadEntry } from '../mesh/model.ts';
import { refName } from '../mesh/problem.ts';
import type { Texts } from './language.ts';

const words: Readonly<Record<Membership, Message>> = {
  never: message('cli.membership.never'),
  connected: message('cli.membership.connected'),
  healthy: message('cli.membership.healthy'),
  unhealthy: message('cli.membership.unhealthy'),
  disconnected: message('cli.membership.disconnected'),
  stale: message('cli.membership.stale'),
};

/** `vm/mysql-10.0.0.5 10.0.0.5 unhealthy since 2026-...: connection refused`. */
export function entryLine({ ref, address, vm, membership, since, reason }: WorkloadEntry, texts: Texts): string {
  const known = [vm, refName(ref), address].filter((part) => part !== undefined && part !== '').join(' ');
  const state = texts(words[membership]);
  return `${known} ${since === undefined ? state : texts(message('cli.membership.since', { state, since }))}${reason === undefined ? '' : `: ${reason}`}`;
}

/** What the cluster knows of a VM, for `--json`. */
export function entryJson({ ref, address, vm, membership, since, reason, automatic }: WorkloadEntry): Readonly<Record<string, unknown>> {
  return { entry: refName(ref), vm, address, membership, since, reason, automatic };
}
