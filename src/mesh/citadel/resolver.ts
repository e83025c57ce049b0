import type { GeneratedFile, ValueSource } from '../model.ts';
import type { HostState, RemoteFile } from '../ports.ts';
import { DNSMASQ } from './dnsmasq.ts';
import { problem } from '../problem.ts';

/**
 * What makes a machine ask its own dnsmasq (citadel facts 2.2; pains 1 and 25). The scripts only touch dhclient.conf and start a second dhclient; here the
 * files that the machine's resolver reads are part of the push, so that undo and leave bring the originals back.
 */

export const RESOLV_CONF = '/etc/resolv.conf';
export const DHCLIENT_CONF = '/etc/dhcp/dhclient.conf';
export const DHCLIENT_HOOK = '/etc/dhcp/dhclient-enter-hooks.d/mesh-expansion';
export const RESOLVED_DROP_IN = '/etc/systemd/resolved.conf.d/mesh-expansion.conf';
export const DNSMASQ_DROP_IN = '/etc/dnsmasq.d/mesh-expansion';
export const RESOLVED = 'systemd-resolved';

/** Files whose text on the VM decides what is generated. */
export const resolverInputs: readonly string[] = [RESOLV_CONF, DHCLIENT_CONF];

const LOCAL = '127.0.0.1';

type ResolverKind = 'file' | 'resolved' | 'other';

/** How the machine resolves names, from what holds /etc/resolv.conf. */
export function resolverKind(state: HostState): ResolverKind {
  const { kind, target = '' } = state.facts?.resolvConf ?? { kind: 'file' };
  if (kind !== 'link') return 'file';
  return /(^|\/)systemd\//.test(target) ? 'resolved' : 'other';
}

/**
 * The resolver's files for this machine; all come out the same again once they are there.
 * Throws `citadel.resolver-unsupported` where /etc/resolv.conf is written by something else (NetworkManager, resolvconf) and does not ask dnsmasq already;
 * `citadel.port-53-taken` where another server holds dnsmasq's address.
 */
export function resolverFiles(state: HostState, namespace: string, clusterDomain: string): readonly GeneratedFile[] {
  const others = (state.facts?.port53 ?? []).filter(({ process }) => process !== DNSMASQ);
  const taken = others.find(
    ({ address }) => [LOCAL, '0.0.0.0', '*', '::', '[::]'].includes(address.replace(/%.*$/, '')) && !isResolved(address, others),
  );
  if (taken !== undefined) throw problem('citadel.port-53-taken', { process: taken.process, address: taken.address });
  const beside = others.length > 0 || fileOf(state, DNSMASQ_DROP_IN)?.exists === true;
  const kind = resolverKind(state);
  if (kind === 'resolved') return [resolvedDropIn(namespace, clusterDomain), dnsmasqDropIn(true)];
  if (kind === 'other') {
    const text = textOf(state, RESOLV_CONF);
    if (nameservers(text)[0] !== LOCAL) throw problem('citadel.resolver-unsupported', { target: state.facts?.resolvConf.target ?? '' });
    return beside ? [dnsmasqDropIn(false)] : [];
  }
  const dhclient = fileOf(state, DHCLIENT_CONF);
  return [
    textFile(RESOLV_CONF, withLocalFirst(textOf(state, RESOLV_CONF)), [DNSMASQ], 'citadel facts 2.2'),
    ...(dhclient?.exists === true && dhclient.text !== undefined
      ? [textFile(DHCLIENT_CONF, withPrepend(dhclient.text), [], 'citadel facts 2.2'), dhclientHook()]
      : []),
    ...(beside ? [dnsmasqDropIn(false)] : []),
  ];
}

/** resolv.conf with dnsmasq first; the other servers stay, for dnsmasq to ask and for the machine when dnsmasq is down. */
export function withLocalFirst(text: string): string {
  if (nameservers(text)[0] === LOCAL) return text;
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const kept = lines.filter((line) => nameserver(line) !== LOCAL);
  const first = kept.findIndex((line) => nameserver(line) !== undefined);
  return [...kept.slice(0, first < 0 ? kept.length : first), `nameserver ${LOCAL}`, ...(first < 0 ? [] : kept.slice(first))]
    .map((line) => `${line}\n`)
    .join('');
}

/** dhclient.conf with the line that the script appends, unless a line begins with it. */
export function withPrepend(text: string): string {
  const line = `prepend domain-name-servers ${LOCAL};`;
  if (text.split('\n').some((one) => one.startsWith(line))) return text;
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${line}\n`;
}

/**
 * A dhclient that runs already has read its configuration: with the next lease it would write resolv.conf without dnsmasq (pain 1). Its script sources this
 * file before it does so.
 */
function dhclientHook(): GeneratedFile {
  const lines = [
    `# Keeps dnsmasq the first name server, also when a dhclient that was started before dhclient.conf was changed renews its lease.`,
    `case " $new_domain_name_servers " in`,
    `  "  " | *" ${LOCAL} "*) ;;`,
    `  *) new_domain_name_servers="${LOCAL} $new_domain_name_servers" ;;`,
    `esac`,
  ];
  return textFile(DHCLIENT_HOOK, lines.map((line) => `${line}\n`).join(''), [], 'citadel facts 8.1');
}

/** systemd-resolved asks dnsmasq for the cluster's names only; the control plane's namespace is a search domain, because it resolves no single word otherwise (istio-citadel). */
function resolvedDropIn(namespace: string, clusterDomain: string): GeneratedFile {
  return textFile(
    RESOLVED_DROP_IN,
    `[Resolve]\nDNS=${LOCAL}\nDomains=${namespace} ~svc.${clusterDomain}\n`,
    [RESOLVED],
    'citadel facts 8.25',
  );
}

/** dnsmasq beside another server on port 53; beside systemd-resolved it takes its upstream from there, for asking the stub would be a circle. */
function dnsmasqDropIn(resolved: boolean): GeneratedFile {
  return textFile(
    DNSMASQ_DROP_IN,
    `listen-address=${LOCAL}\nbind-interfaces\n${resolved ? 'resolv-file=/run/systemd/resolve/resolv.conf\n' : ''}`,
    [DNSMASQ],
    'citadel facts 8.25',
  );
}

/** Lines of a file that was there come from the machine; all others are ours. */
function textFile(path: string, text: string, readBy: readonly string[], facts: string): GeneratedFile {
  const merged = resolverInputs.includes(path);
  const sources = text
    .split('\n')
    .slice(0, -1)
    .map((value): readonly ValueSource[] => [
      { value, from: merged && !value.includes(LOCAL) ? { kind: 'host', field: path } : { kind: 'rule', facts } },
    ]);
  return { path, mode: 0o644, owner: 'root', group: 'root', content: { kind: 'text', text, sources }, readBy, editable: false };
}

/** systemd-resolved's stub is on addresses of its own; a wildcard beside it is dnsmasq's business. */
function isResolved(address: string, others: readonly { readonly process: string; readonly address: string }[]): boolean {
  return others.some((one) => one.address === address && one.process.startsWith('systemd-resolve'));
}

function nameservers(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => nameserver(line) ?? []);
}

function nameserver(line: string): string | undefined {
  return /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
}

function fileOf(state: HostState, path: string): RemoteFile | undefined {
  return state.files.find((file) => file.path === path);
}

function textOf(state: HostState, path: string): string {
  return fileOf(state, path)?.text ?? '';
}
