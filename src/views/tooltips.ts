import * as vscode from 'vscode';
import { ago } from '../editor/durations.ts';
import { appendWords } from '../editor/plainMarkdown.ts';
import { sourceText } from '../editor/sourceText.ts';
import type { Texts } from '../editor/texts.ts';
import type { WorkloadEntry, WorkloadGroupFacts } from '../mesh/model.ts';
import { servingState } from './balancers.ts';
import { membershipText } from './membership.ts';
import type { Node } from './nodes.ts';

/** The tooltip of a node, made when it is asked for. Values come from clusters and machines: all of them are escaped. */
export function tooltipOf(node: Node, texts: Texts): vscode.MarkdownString | undefined {
  const rows = rowsOf(node, texts);
  if (rows.length === 0) return undefined;
  const markdown = new vscode.MarkdownString();
  for (const [name, value] of rows) {
    if (name === '') appendWords(markdown, value);
    else {
      markdown.appendMarkdown('**');
      appendWords(markdown, name);
      markdown.appendMarkdown('**: ');
      appendWords(markdown, value);
    }
    markdown.appendMarkdown('\n\n');
  }
  return markdown;
}

type Row = readonly [string, string];

function rowsOf(node: Node, texts: Texts): readonly Row[] {
  const { t, say } = texts;
  const row = (id: string, value: string | number | undefined): readonly Row[] =>
    value === undefined || value === '' ? [] : [[t(`editor.tip.${id}`), String(value)]];
  switch (node.kind) {
    case 'cluster':
      return [
        ...row('context', node.cluster.context),
        ...row('namespace', node.cluster.istio.namespace),
        ...row('release', node.facts.value?.controlPlane.release),
        ...row('from', node.facts.value === undefined ? undefined : sourceText(node.facts.value.controlPlane.source, texts)),
        ...(node.facts.value?.controlPlane.details ?? []).map((detail): Row => [
          say(detail.label),
          detail.source === undefined ? detail.value : `${detail.value} (${sourceText(detail.source, texts)})`,
        ]),
        ...(node.facts.value?.controlPlane.limits ?? []).flatMap(({ text, nextStep }): Row[] => [
          ['', say(text)],
          ...(nextStep === undefined ? [] : [['', say(nextStep)] as const]),
        ]),
        ...row('read', age(node.facts.at, texts)),
        ...(node.facts.error === undefined
          ? [['', t('editor.tip.notContacted')] as const].filter(() => node.facts.value === undefined && !node.facts.loading)
          : [['', say(node.facts.error.userMessage)] as const]),
      ];
    case 'loadBalancer':
      return [
        ...row('object', `${node.balancer.ref.kind} ${node.balancer.ref.namespace ?? ''}/${node.balancer.ref.name}`),
        ...row('state', t(`editor.balancer.${servingState(node.balancer)}`)),
        ...row('address', node.balancer.address),
        ...row(
          'ports',
          node.balancer.ports.map((port) => `${port.port}/${port.protocol}${port.name === undefined ? '' : ` ${port.name}`}`).join(', '),
        ),
        ...node.balancer.events.map((event): Row => [`${event.reason}, ${ago(event.time) ?? ''}`, event.text]),
      ];
    case 'vm':
      return [
        ...row('host', node.vm.host),
        ...row('address', node.vm.address),
        ...row('identity', `${node.vm.namespace}/${node.vm.serviceAccount}`),
        ...row('state', t(`editor.state.${node.state}`)),
        ...entryRows(node.entry, row, texts),
        ...row('certificate', node.status.value?.certificateNotAfter),
        ...row('token', node.status.value?.tokenExpiresAt),
        ...row('read', age(node.status.at, texts)),
        ...errorRows(node.status.error, texts),
      ];
    case 'file':
      return [
        ...row('path', node.file.path),
        ...row('mode', `${node.file.mode.toString(8).padStart(4, '0')} ${node.file.owner}:${node.file.group}`),
        ...row('readBy', node.file.readBy.join(', ')),
        ...row('state', t(`editor.drift.${node.drift}`)),
        ...(node.file.content.kind === 'secret' ? certificateRows(node.file.content.facts, row) : []),
        ...(node.file.content.kind === 'minted' ? row('notAfter', node.notAfter) : []),
      ];
    case 'unit':
      return [
        ...row('state', `${node.unit.active} (${node.unit.sub})`),
        ...row('enabled', node.unit.enabled),
        ...row('since', node.unit.since),
        ...row('restarts', node.unit.restarts),
        ...(node.unit.log === undefined ? [] : [['', node.unit.log] as const]),
      ];
    case 'checks':
      return (node.run?.results ?? []).map((result): Row => [t(`editor.verdict.${result.verdict}`), say(result.reason)]);
    case 'service':
      return [
        ...row('object', `Service ${node.namespace}/${node.name}`),
        ...row('clusterIp', node.registered?.clusterIp),
        ...row(
          'ports',
          (node.registered?.ports ?? node.entry?.ports ?? [])
            .map((port) => `${port.name} ${port.port} → ${port.targetPort}/${port.protocol}`)
            .join(', '),
        ),
        ...row('vms', node.entry?.vms.join(', ')),
        ...row('state', t(node.registered === undefined ? 'editor.service.absent' : 'editor.service.registered')),
      ];
    case 'endpoint':
      return [...row('address', node.address), ...row('ports', node.ports.join(', '))];
    case 'unmanaged':
      return [
        ...row('address', node.machine.address),
        ...row('services', node.machine.services.join(', ')),
        ...entryRows(node.from?.entry, row, texts),
        ['', t('editor.tip.unmanaged')],
      ];
    case 'workloadGroup':
      return workloadGroupRows(node.facts, row);
    case 'notice':
      return [
        [node.value === undefined ? '' : say(node.text), node.value === '-' ? t('editor.notice.missing') : (node.value ?? say(node.text))],
        ...(node.nextStep === undefined ? [] : [['', say(node.nextStep)] as const]),
        ...(node.fixable ? [['', t('editor.tip.setUp')] as const] : []),
      ];
    case 'error':
      return errorRows(node.error, texts);
    case 'hint':
      return node.hint === 'untrusted' ? [['', t('editor.untrusted')]] : [];
    case 'group':
      return [];
  }
}

function errorRows(error: Extract<Node, { kind: 'error' }>['error'] | undefined, { say }: Texts): readonly Row[] {
  if (error === undefined) return [];
  return [['', say(error.userMessage)], ...(error.nextStep === undefined ? [] : [['', say(error.nextStep)] as const])];
}

type MakeRow = (id: string, value: string | number | undefined) => readonly Row[];

/** How the cluster sees a machine; the probe's words are the machine's own. */
function entryRows(entry: WorkloadEntry | undefined, row: MakeRow, texts: Texts): readonly Row[] {
  if (entry === undefined) return [];
  return [
    ...row('membership', membershipText(entry, texts)),
    ...row('since', entry.since),
    ...row('probe', entry.reason),
    ...(entry.membership === 'never' ? [] : row('object', `${entry.ref.kind} ${entry.ref.namespace ?? ''}/${entry.ref.name}`)),
  ];
}

function workloadGroupRows({ ref, group }: WorkloadGroupFacts, row: MakeRow): readonly Row[] {
  const pairs = (record: Readonly<Record<string, string | number>>, mark: string) =>
    Object.entries(record)
      .map(([key, value]) => `${key}${mark}${value}`)
      .join(', ');
  return [
    ...row('object', `${ref.kind} ${group.namespace}/${group.name}`),
    ...row('identity', `${group.namespace}/${group.serviceAccount}`),
    ...row('labels', pairs(group.labels, '=')),
    ...row('ports', pairs(group.ports, ' ')),
    ...row('network', group.network),
    ...row('locality', group.locality),
    ...row('probe', group.probe?.handler.kind),
  ];
}

interface Certificate {
  readonly subject: string;
  readonly uris: readonly string[];
  readonly notAfter: string;
  readonly fingerprint: string;
}

function certificateRows(facts: Certificate | undefined, row: MakeRow): readonly Row[] {
  return facts === undefined
    ? []
    : [
        ...row('subject', facts.subject),
        ...row('san', facts.uris.join(', ')),
        ...row('notAfter', facts.notAfter),
        ...row('fingerprint', facts.fingerprint),
      ];
}

function age(at: number | undefined, { t }: Texts): string | undefined {
  const text = ago(at);
  return text === undefined ? undefined : t('editor.ago', { age: text });
}
