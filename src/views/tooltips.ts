import * as vscode from 'vscode';
import { ago } from '../editor/durations.ts';
import { sourceText } from '../editor/sourceText.ts';
import type { Texts } from '../editor/texts.ts';
import type { Node } from './nodes.ts';

/** The tooltip of a node, made when it is asked for. Values come from clusters and machines: all of them are escaped. */
export function tooltipOf(node: Node, texts: Texts): vscode.MarkdownString | undefined {
  const rows = rowsOf(node, texts);
  if (rows.length === 0) return undefined;
  const markdown = new vscode.MarkdownString();
  for (const [name, value] of rows) {
    if (name === '') markdown.appendText(value);
    else {
      markdown.appendMarkdown('**');
      markdown.appendText(name);
      markdown.appendMarkdown('**: ');
      markdown.appendText(value);
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
        ...row('read', age(node.facts.at, texts)),
        ...(node.facts.error === undefined
          ? [['', t('editor.tip.notContacted')] as const].filter(() => node.facts.value === undefined && !node.facts.loading)
          : [['', say(node.facts.error.userMessage)] as const]),
      ];
    case 'loadBalancer':
      return [
        ...row('object', `${node.balancer.ref.kind} ${node.balancer.ref.namespace ?? ''}/${node.balancer.ref.name}`),
        ...row('state', t(`editor.balancer.${node.balancer.state}`)),
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
        ...row('certificate', node.status.value?.certificateNotAfter),
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
        ['', t('editor.tip.unmanaged')],
      ];
    case 'error':
      return errorRows(node.error, texts);
    case 'group':
    case 'hint':
      return [];
  }
}

function errorRows(error: Extract<Node, { kind: 'error' }>['error'] | undefined, { say }: Texts): readonly Row[] {
  if (error === undefined) return [];
  return [['', say(error.userMessage)], ...(error.nextStep === undefined ? [] : [['', say(error.nextStep)] as const])];
}

interface Certificate {
  readonly subject: string;
  readonly uris: readonly string[];
  readonly notAfter: string;
  readonly fingerprint: string;
}

function certificateRows(facts: Certificate | undefined, row: (id: string, value: string | undefined) => readonly Row[]): readonly Row[] {
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
