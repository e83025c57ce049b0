import * as vscode from 'vscode';
import { ago, day, span } from '../editor/durations.ts';
import type { Texts } from '../editor/texts.ts';
import { fileUri } from '../editor/uris.ts';
import { icon, type Line } from './line.ts';
import { vmText } from './membership.ts';
import { needsAttention, type ChecksNode, type FileNode, type UnitNode, type VmNode, type VmState } from './nodes.ts';

const vmIcons: Readonly<Record<VmState, vscode.ThemeIcon>> = {
  failed: icon('error', 'bad'),
  unreachable: icon('debug-disconnect', 'bad'),
  blocked: icon('warning', 'warning'),
  'needs-person': icon('person', 'warning'),
  'needs-push': icon('cloud-upload', 'warning'),
  expiring: icon('watch', 'warning'),
  pending: icon('sync'),
  'in-sync': icon('pass', 'good'),
  connected: icon('vm-active', 'good'),
  unknown: icon('vm-outline', 'dim'),
  'not-joined': icon('circle-outline', 'dim'),
};

export function vmLine(node: VmNode, texts: Texts): Line {
  const { vm, state, status, entry, grouped } = node;
  const { t } = texts;
  const joined = status.value !== undefined && status.value.condition !== 'not-joined';
  const tags = [
    joined ? '+joined' : '',
    ['not-joined', 'blocked'].includes(state) && !joined ? '+notJoined' : '',
    needsAttention(state) ? '+attention' : '',
    vm.address === undefined ? '' : '+address',
    grouped ? '+grouped' : '',
    isAway(node) ? '+away' : '',
  ];
  const reading = status.loading && status.value === undefined;
  return {
    label: vm.name,
    description: reading && entry === undefined ? t('editor.tree.reading') : vmText(node, new Date(), texts),
    icon: reading ? icon('loading~spin') : vmIcons[state],
    context: `vm${tags.join('')}`,
    open: vscode.TreeItemCollapsibleState.Collapsed,
    state: t(`editor.state.${state}`),
  };
}

/** Fresh credentials may bring it back. */
function isAway({ entry, status }: VmNode): boolean {
  const until = status.value?.certificateNotAfter ?? '';
  return (entry !== undefined && ['disconnected', 'stale'].includes(entry.membership)) || (until !== '' && Date.parse(until) <= Date.now());
}

export function fileLine({ cluster, vm, file, drift, edited, notAfter }: FileNode, { t }: Texts): Line {
  const secret = file.content.kind !== 'text';
  const parts = [
    edited ? t('editor.file.edited') : undefined,
    drift === 'same' ? undefined : t(`editor.drift.${drift}`),
    notAfter === undefined ? undefined : t('editor.file.expires', { day: day(notAfter) }),
  ];
  return {
    label: file.path,
    description: parts.filter((part) => part !== undefined).join(', '),
    icon: secret ? icon(file.content.kind === 'minted' || file.path.endsWith('key.pem') ? 'key' : 'verified') : vscode.ThemeIcon.File,
    context: `file${secret ? '+secret' : '+text'}${edited ? '+edited' : ''}${drift === 'same' ? '' : '+drift'}`,
    command: 'openFile',
    resource: fileUri({ cluster, vm, path: file.path }),
    state: t(`editor.drift.${drift}`),
  };
}

export function unitLine({ unit }: UnitNode, { t }: Texts): Line {
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

export function checksLine({ run }: ChecksNode, { t }: Texts): Line {
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
