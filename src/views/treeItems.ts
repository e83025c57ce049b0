import * as vscode from 'vscode';
import { ago, day, span } from '../editor/durations.ts';
import { fullId, type CommandId } from '../editor/commandIds.ts';
import type { Texts } from '../editor/texts.ts';
import { fileUri } from '../editor/uris.ts';
import {
  needsAttention,
  type ChecksNode,
  type ClusterNode,
  type FileNode,
  type GroupNode,
  type LoadBalancerNode,
  type Node,
  type ServiceNode,
  type UnitNode,
  type VmNode,
  type VmState,
} from './nodes.ts';

/** What a line shows; the mapper adds what all lines have in common. */
interface Line {
  readonly label: string;
  readonly description?: string;
  readonly icon: vscode.ThemeIcon;
  /** Tags of `viewItem`: kind, then `+tag`s. */
  readonly context: string;
  readonly open?: vscode.TreeItemCollapsibleState;
  readonly command?: CommandId;
  readonly resource?: vscode.Uri;
  /** The state in words, for who does not see the icon. */
  readonly state?: string;
}

const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;

const color = {
  good: new vscode.ThemeColor('testing.iconPassed'),
  bad: new vscode.ThemeColor('list.errorForeground'),
  warning: new vscode.ThemeColor('list.warningForeground'),
  dim: new vscode.ThemeColor('disabledForeground'),
};

const icon = (id: string, shade?: keyof typeof color) => new vscode.ThemeIcon(id, shade === undefined ? undefined : color[shade]);

/** A node as a tree item. The tooltip is left out: it is made when it is asked for. */
export function toTreeItem(node: Node, texts: Texts): vscode.TreeItem {
  const line = lineOf(node, texts);
  const item = new vscode.TreeItem(line.label, line.open ?? None);
  item.id = node.id;
  item.description = line.description;
  item.iconPath = line.icon;
  item.contextValue = line.context;
  item.resourceUri = line.resource;
  const spoken = [line.label, line.state, line.description].filter(
    (part, index, all) => part !== undefined && part !== '' && all.indexOf(part) === index,
  );
  item.accessibilityInformation = { label: spoken.join(', ') };
  if (line.command !== undefined) item.command = { command: fullId(line.command), title: texts.t('editor.tree.open'), arguments: [node] };
  return item;
}

function lineOf(node: Node, texts: Texts): Line {
  const { t } = texts;
  switch (node.kind) {
    case 'cluster':
      return clusterLine(node, texts);
    case 'group':
      return groupLine(node, texts);
    case 'loadBalancer':
      return balancerLine(node, texts);
    case 'vm':
      return vmLine(node, texts);
    case 'file':
      return fileLine(node, texts);
    case 'unit':
      return unitLine(node, texts);
    case 'checks':
      return checksLine(node, texts);
    case 'service':
      return serviceLine(node, texts);
    case 'endpoint':
      return {
        label: node.vm ?? node.address,
        description: node.ports.map((port) => `${node.address}:${port}`).join(' '),
        icon: icon('vm'),
        context: 'endpoint+address',
      };
    case 'unmanaged':
      return {
        label: node.machine.address,
        description: t('editor.tree.unmanaged', { services: node.machine.services.join(', ') }),
        icon: icon('vm-outline', 'warning'),
        context: 'unmanaged+address',
      };
    case 'error': {
      const tags = node.error.code === 'kube.unauthorized' ? '+signIn' : '';
      // A VM's own line says what is wrong; the line below it says what to do.
      const text = node.retry.kind === 'vm' ? (node.error.nextStep ?? node.error.userMessage) : node.error.userMessage;
      const asks = node.error.kind === 'person';
      return {
        label: texts.say(text),
        icon: asks ? icon('question', 'warning') : icon('error', 'bad'),
        context: `error${tags}`,
        command: node.retry.kind === 'inventory' ? 'openInventory' : 'retry',
        state: t('editor.state.error'),
      };
    }
    case 'hint':
      return {
        label: t(`editor.hint.${node.hint}`),
        icon: icon(node.hint === 'reading' ? 'loading~spin' : 'info', 'dim'),
        context: 'hint',
        command: hintCommand(node.hint),
      };
  }
}

function hintCommand(hint: string): CommandId | undefined {
  const commands: Readonly<Record<string, CommandId>> = { noBalancers: 'setUpCluster', noVms: 'joinVm', noServices: 'registerService' };
  return commands[hint];
}

function clusterLine({ cluster, facts, playground }: ClusterNode, { t }: Texts): Line {
  const release = facts.value?.controlPlane.release;
  const known = release === undefined ? undefined : t('editor.tree.release', { release });
  const description = [
    playground ? t('editor.tree.playground') : undefined,
    facts.loading && known === undefined ? t('editor.tree.reading') : known,
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
  const failed = facts.error !== undefined;
  return {
    label: cluster.name,
    description: description === '' && !failed ? t('editor.tree.notContacted') : description,
    icon: playground
      ? icon('beaker')
      : failed
        ? icon('warning', 'warning')
        : release === undefined
          ? icon('server-environment', 'dim')
          : icon('server-environment'),
    context: `cluster${failed ? '+failed' : ''}`,
    open: Collapsed,
    state: failed ? t('editor.state.unreachable') : undefined,
  };
}

function groupLine(node: GroupNode, { t }: Texts): Line {
  const icons = { loadBalancers: 'globe', vms: 'vm', services: 'symbol-interface' } as const;
  const counts =
    node.count === 0
      ? ''
      : node.attention > 0
        ? t('editor.group.vms.attention', { good: node.good, attention: node.attention })
        : t(`editor.group.${node.group}.count`, { good: node.good, count: node.count });
  return {
    label: t(`editor.group.${node.group}`),
    description: node.loading ? t('editor.tree.reading') : counts,
    icon: icon(icons[node.group]),
    context: `group+${node.group}`,
    open: Expanded,
  };
}

function balancerLine({ balancer }: LoadBalancerNode, { t }: Texts): Line {
  const udp = balancer.ports.some((port) => port.protocol === 'UDP');
  const ports = balancer.ports.map(({ port, protocol }) => (udp ? `${protocol} ${port}` : String(port))).join(' ');
  const age = ago(balancer.createdAt);
  const state = t(`editor.balancer.${balancer.state}`);
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
    description: shown[balancer.state],
    icon: icons[balancer.state],
    context: `loadBalancer${tags}`,
    state,
  };
}

const vmIcons: Readonly<Record<VmState, vscode.ThemeIcon>> = {
  failed: icon('error', 'bad'),
  unreachable: icon('debug-disconnect', 'bad'),
  blocked: icon('warning', 'warning'),
  'needs-person': icon('person', 'warning'),
  'needs-push': icon('cloud-upload', 'warning'),
  expiring: icon('watch', 'warning'),
  pending: icon('sync'),
  'in-sync': icon('pass', 'good'),
  unknown: icon('vm-outline', 'dim'),
  'not-joined': icon('circle-outline', 'dim'),
};

function vmLine({ vm, state, status }: VmNode, { t, say }: Texts): Line {
  const joined = status.value !== undefined && status.value.condition !== 'not-joined';
  const summary =
    status.error === undefined
      ? status.value === undefined
        ? t('editor.vm.unknown')
        : say(status.value.summary)
      : say(status.error.userMessage);
  const tags = `${joined ? '+joined' : ''}${['not-joined', 'blocked'].includes(state) && !joined ? '+notJoined' : ''}${needsAttention(state) ? '+attention' : ''}${vm.address === undefined ? '' : '+address'}`;
  return {
    label: vm.name,
    description: status.loading && status.value === undefined ? t('editor.tree.reading') : summary,
    icon: status.loading && status.value === undefined ? icon('loading~spin') : vmIcons[state],
    context: `vm${tags}`,
    open: Collapsed,
    state: t(`editor.state.${state}`),
  };
}

function fileLine({ cluster, vm, file, drift, edited, notAfter }: FileNode, { t }: Texts): Line {
  const secret = file.content.kind === 'secret';
  const parts = [
    edited ? t('editor.file.edited') : undefined,
    drift === 'same' ? undefined : t(`editor.drift.${drift}`),
    notAfter === undefined ? undefined : t('editor.file.expires', { day: day(notAfter) }),
  ];
  return {
    label: file.path,
    description: parts.filter((part) => part !== undefined).join(', '),
    icon: secret ? icon(file.path.endsWith('key.pem') ? 'key' : 'verified') : vscode.ThemeIcon.File,
    context: `file${secret ? '+secret' : '+text'}${edited ? '+edited' : ''}${drift === 'same' ? '' : '+drift'}`,
    command: 'openFile',
    resource: fileUri({ cluster, vm, path: file.path }),
    state: t(`editor.drift.${drift}`),
  };
}

function unitLine({ unit }: UnitNode, { t }: Texts): Line {
  const age = unit.since === undefined ? undefined : ago(unit.since);
  const icons: Readonly<Record<string, vscode.ThemeIcon>> = {
    active: icon('play-circle', 'good'),
    activating: icon('sync', 'warning'),
    failed: icon('error', 'bad'),
  };
  const description = [
    age === undefined || unit.active !== 'active' ? unit.active : `${unit.active} ${age}`,
    unit.enabled === 'enabled' ? undefined : unit.enabled,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
  return {
    label: unit.name,
    description,
    icon: icons[unit.active] ?? icon('stop-circle', 'dim'),
    context: 'unit',
    state: t('editor.unit', { state: unit.active }),
  };
}

function checksLine({ run }: ChecksNode, { t }: Texts): Line {
  if (run === undefined)
    return {
      label: t('editor.checks'),
      description: t('editor.checks.never'),
      icon: icon('checklist', 'dim'),
      context: 'checks',
      command: 'check',
    };
  const counted = run.results.filter((result) => result.verdict !== 'skipped');
  const passed = counted.filter((result) => result.verdict === 'ok').length;
  return {
    label: t('editor.checks'),
    description: t('editor.checks.result', { passed, count: counted.length, age: span(Date.now() - run.at) }),
    icon: passed === counted.length ? icon('pass-filled', 'good') : icon('error', 'bad'),
    context: 'checks+done',
    command: 'showChecks',
  };
}

function serviceLine({ name, namespace, registered, entry }: ServiceNode, { t }: Texts): Line {
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
