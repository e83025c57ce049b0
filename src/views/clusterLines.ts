import * as vscode from 'vscode';
import { ago } from '../editor/durations.ts';
import type { Texts } from '../editor/texts.ts';
import { servingState } from './balancers.ts';
import { icon, type Line } from './line.ts';
import { membershipText } from './membership.ts';
import type { ClusterNode, GroupNode, LoadBalancerNode, NoticeNode, ServiceNode, UnmanagedNode, WorkloadGroupNode } from './nodes.ts';

const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;

/** Why a cluster cannot be read, in a few words; the row below it says all. */
const troubles: Readonly<Record<string, string>> = {
  'kube.unauthorized': 'unauthorized',
  'kube.forbidden': 'forbidden',
  'kube.timeout': 'unreachable',
  'kube.unreachable': 'unreachable',
};

export function clusterLine({ cluster, facts, playground }: ClusterNode, { t }: Texts): Line {
  const release = facts.value?.controlPlane.release;
  const revision = facts.value?.controlPlane.details?.find(({ id }) => id === 'revision')?.value;
  const known = release === undefined ? undefined : t('editor.tree.release', { release });
  const description = [
    playground ? t('editor.tree.playground') : undefined,
    facts.loading && known === undefined ? t('editor.tree.reading') : known,
    revision === undefined ? undefined : t('editor.tree.revision', { revision }),
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
  const failed = facts.error !== undefined;
  const trouble = failed ? t(`editor.cluster.${troubles[facts.error.code] ?? 'error'}`) : undefined;
  return {
    label: cluster.name,
    description: description === '' ? (trouble ?? t('editor.tree.notContacted')) : description,
    icon: playground
      ? icon('beaker')
      : failed
        ? icon('warning', 'warning')
        : release === undefined
          ? icon('server-environment', 'dim')
          : icon('server-environment'),
    context: `cluster${failed ? '+failed' : ''}${facts.value?.workloadGroups === undefined ? '' : '+groups'}`,
    open: Collapsed,
    state: trouble,
  };
}

/** What is missing or not served: the label says what, the tooltip what to do. */
export function noticeLine({ text, value, nextStep, blocking, fixable }: NoticeNode, { t, say }: Texts): Line {
  return {
    label: say(text),
    // The core writes - for what is not there.
    description: value === '-' ? t('editor.notice.missing') : (value ?? (nextStep === undefined ? undefined : say(nextStep))),
    icon: blocking ? icon('circle-slash', 'bad') : icon('warning', 'warning'),
    context: `notice${fixable ? '+fixable' : ''}`,
    command: fixable ? 'setUpCluster' : undefined,
    state: t(blocking ? 'editor.state.refused' : 'editor.state.notice'),
  };
}

export function groupLine(node: GroupNode, { t }: Texts): Line {
  const icons = { loadBalancers: 'globe', workloadGroups: 'layers', vms: 'vm', services: 'symbol-interface' } as const;
  const counts =
    node.count === 0
      ? ''
      : node.attention > 0
        ? t(`editor.group.${node.group}.attention`, { good: node.good, count: node.count, attention: node.attention })
        : t(`editor.group.${node.group}.count`, { good: node.good, count: node.count });
  return {
    label: t(`editor.group.${node.group}`),
    description: node.loading ? t('editor.tree.reading') : counts,
    icon: icon(icons[node.group]),
    context: `group+${node.group}`,
    open: Expanded,
  };
}

export function workloadGroupLine({ facts: { group }, count, connected, attention }: WorkloadGroupNode, { t }: Texts): Line {
  return {
    label: `${group.namespace}/${group.name}`,
    description: count === 0 ? t('editor.workloadGroup.empty') : t('editor.workloadGroup.count', { connected, count }),
    icon: icon('layers', attention > 0 ? 'warning' : undefined),
    context: 'workloadGroup+object',
    open: Expanded,
    state: t('editor.workloadGroup'),
  };
}

export function unmanagedLine({ machine, from }: UnmanagedNode, texts: Texts): Line {
  const { t } = texts;
  return {
    label: machine.address,
    description:
      from === undefined
        ? t('editor.tree.unmanaged', { services: machine.services.join(', ') })
        : t('editor.tree.unmanagedEntry', { membership: membershipText(from.entry, texts) }),
    icon: icon('vm-outline', 'warning'),
    context: 'unmanaged+address',
  };
}

export function balancerLine({ balancer }: LoadBalancerNode, { t }: Texts): Line {
  const udp = balancer.ports.some((port) => port.protocol === 'UDP');
  const ports = balancer.ports.map(({ port, protocol }) => (udp ? `${protocol} ${port}` : String(port))).join(' ');
  const age = ago(balancer.createdAt);
  const serving = servingState(balancer);
  const state = t(`editor.balancer.${serving}`);
  const shown = {
    ready: `${balancer.address ?? ''}  ${ports}`,
    hostname: `${balancer.address ?? ''}  ${state}`,
    pending: age === undefined ? state : t('editor.balancer.pendingFor', { age }),
    missing: state,
  };
  const icons = {
    ready: icon('pass', 'good'),
    hostname: icon('warning', 'warning'),
    pending: icon('clock', 'warning'),
    missing: icon('circle-slash', 'dim'),
  };
  const tags = `${balancer.state === 'missing' ? '' : '+object'}${balancer.address === undefined ? '' : '+address'}`;
  return {
    label: balancer.ref.name,
    description: shown[serving],
    icon: icons[serving],
    context: `loadBalancer${tags}`,
    state,
  };
}

export function serviceLine({ name, namespace, registered, entry }: ServiceNode, { t }: Texts): Line {
  const ports = (registered?.ports ?? entry?.ports ?? []).map(({ port }) => port).join(',');
  const tags = `${registered === undefined ? '+absent' : '+registered+object'}${entry === undefined ? '' : '+entry'}${registered?.clusterIp === undefined ? '' : '+address'}`;
  return {
    label: `${namespace}/${name}`,
    description: registered === undefined ? t('editor.service.absent') : `${registered.clusterIp ?? ''}:${ports}`,
    icon:
      registered === undefined
        ? icon('circle-outline', 'dim')
        : registered.endpoints.length === 0
          ? icon('warning', 'warning')
          : icon('symbol-interface'),
    context: `service${tags}`,
    open: (registered?.endpoints.length ?? 0) > 0 ? Collapsed : None,
    state: registered === undefined ? t('editor.service.absent') : t('editor.service.registered'),
  };
}
