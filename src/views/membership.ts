import { span } from '../editor/durations.ts';
import type { Texts } from '../editor/texts.ts';
import type { MeshError } from '../mesh/errors.ts';
import type { WorkloadEntry } from '../mesh/model.ts';
import { awayFrom } from '../mesh/status.ts';
import { isConnected, judgementOf } from './liveVms.ts';
import type { VmNode } from './nodes.ts';

/** How the cluster sees a machine, in words: `connected, healthy`, `disconnected 4 min`. */
export function membershipText(entry: WorkloadEntry, { t, say }: Texts, now = new Date()): string {
  const away = awayFrom(entry, now);
  return away === undefined ? t(`editor.membership.${entry.membership}`) : say(away.summary);
}

/** The line of a VM: the one thing that matters most, then how the cluster sees it, then what is due next. */
export function vmText(node: VmNode, now: Date, texts: Texts): string {
  const { status, entry } = node;
  const { say, t } = texts;
  if (status.error !== undefined) return joined([errorText(status.error, texts), seen(node, now, texts)]);
  const judged = judgementOf(status, entry, now);
  if (entry === undefined) return judged === undefined ? t('editor.vm.unknown') : say(judged.summary);
  if (status.value === undefined || judged === undefined) return membershipText(entry, texts, now);
  const own = (status.value.own ?? status.value).condition;
  if (own === 'not-joined') return say(judged.summary);
  // A machine that is as it should be is told by how the cluster sees it; what is wrong with it goes before that.
  const fine = own === 'in-sync' || own === 'pending' || judged.condition !== own;
  return joined(
    fine ? [membershipText(entry, texts, now), ...lives(node, now, texts)] : [say(judged.summary), membershipText(entry, texts, now)],
  );
}

/** What stands in the way, in a few words where it is the usual: the row below it says what to do, the tooltip all of it. */
function errorText({ code, userMessage }: MeshError, { t, say }: Texts): string {
  const id = usualErrors.get(code);
  return id === undefined ? say(userMessage) : t(id);
}

const usualErrors: ReadonlyMap<string, string> = new Map([
  ['host.auth-failed', 'editor.vm.host.auth-failed'],
  ['host.key-unknown', 'editor.vm.host.key-unknown'],
  ['host.key-changed', 'editor.vm.host.key-changed'],
  ['host.unreachable', 'editor.vm.host.unreachable'],
]);

/** Lives of the certificate and, while a machine is away and will need it, of the token; the one that ends first goes first. */
function lives({ status, entry }: VmNode, now: Date, { t }: Texts): readonly string[] {
  const needsToken = entry !== undefined && !isConnected(entry);
  const ends = [
    { name: 'certificate', time: status.value?.certificateNotAfter },
    { name: 'token', time: needsToken ? status.value?.tokenExpiresAt : undefined },
  ];
  return ends
    .flatMap(({ name, time }) => (time === undefined || time === '' ? [] : [{ name, left: Date.parse(time) - now.getTime() }]))
    .sort((one, other) => one.left - other.left)
    .map(({ name, left }) => (left <= 0 ? t(`editor.life.${name}.over`) : t(`editor.life.${name}`, { left: span(left) })));
}

function seen({ entry }: VmNode, now: Date, texts: Texts): string | undefined {
  return entry === undefined || entry.membership === 'never' ? undefined : membershipText(entry, texts, now);
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}
