import type { ReadinessProbe, WorkloadGroup } from '../../mesh/model.ts';
import { isDnsLabel, isDnsSubdomain, isLabelValue, isPlainText, isPort, isQualifiedName } from '../../mesh/names.ts';
import type { Texts } from '../../editor/texts.ts';
import { rowsOf, textOf, type Values } from './protocol.ts';
import { readPairs, type Problems } from './rules.ts';

/** A workload group as fields of a form, and back. Nothing is written here: what is typed is untrusted until `problemsOf` finds nothing in it. */

export const probeKinds = ['none', 'httpGet', 'tcpSocket', 'exec', 'grpc'] as const;
export type ProbeKind = (typeof probeKinds)[number];
/** Fields of the probe's times, by field id. */
export const probeTimes = {
  probeInitialDelay: 'initialDelaySeconds',
  probeTimeout: 'timeoutSeconds',
  probePeriod: 'periodSeconds',
  probeSuccess: 'successThreshold',
  probeFailure: 'failureThreshold',
} as const;
/** Most labels or annotations that the object may have (istiod facts 3.5). */
const MOST_PAIRS = 256;

export function probeKindOf(values: Values): ProbeKind {
  return probeKinds.find((kind) => kind === textOf(values.probe)) ?? 'none';
}

export function emptyGroup(cluster: string): Values {
  return { cluster, namespace: '', name: '', serviceAccount: '', ports: [{}], labels: '', annotations: '', probe: 'none' };
}

export function valuesOfGroup(cluster: string, group: WorkloadGroup): Values {
  const lines = (pairs: Readonly<Record<string, string>>) =>
    Object.entries(pairs)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n');
  return {
    cluster,
    namespace: group.namespace,
    name: group.name,
    serviceAccount: group.serviceAccount,
    ports: Object.entries(group.ports).map(([name, port]) => ({ name, port: String(port) })),
    labels: lines(group.labels),
    annotations: lines(group.annotations),
    network: group.network ?? '',
    locality: group.locality ?? '',
    weight: group.weight === undefined ? '' : String(group.weight),
    ...valuesOfProbe(group.probe),
  };
}

function valuesOfProbe(probe: ReadinessProbe | undefined): Values {
  if (probe === undefined) return { probe: 'none' };
  const { handler } = probe;
  const times = Object.fromEntries(Object.entries(probeTimes).map(([id, key]) => [id, probe[key] === undefined ? '' : String(probe[key])]));
  const shared = { probe: handler.kind, ...times };
  switch (handler.kind) {
    case 'httpGet':
      return {
        ...shared,
        probePort: String(handler.port),
        probePath: handler.path ?? '',
        probeHost: handler.host ?? '',
        probeScheme: handler.scheme ?? '',
        probeHeaders: (handler.httpHeaders ?? []).map(({ name, value }) => `${name}: ${value}`).join('\n'),
      };
    case 'tcpSocket':
      return { ...shared, probePort: String(handler.port), probeHost: handler.host ?? '' };
    case 'exec':
      return { ...shared, probeCommand: handler.command.join('\n') };
    case 'grpc':
      return { ...shared, probePort: String(handler.port), probeService: handler.service ?? '' };
  }
}

/** The group that is typed. Call it only where `problemsOf` is empty. */
export function groupOfValues(values: Values): WorkloadGroup {
  const optional = (id: string) => textOf(values[id]) || undefined;
  const group: WorkloadGroup = {
    namespace: textOf(values.namespace),
    name: textOf(values.name),
    serviceAccount: optional('serviceAccount') ?? 'default',
    labels: readPairs(textOf(values.labels)).pairs,
    annotations: readPairs(textOf(values.annotations)).pairs,
    ports: Object.fromEntries(portRows(values).map(({ name, port }) => [name, Number(port)])),
    network: optional('network'),
    locality: optional('locality'),
    weight: optional('weight') === undefined ? undefined : Number(optional('weight')),
    probe: probeOfValues(values),
  };
  return defined(group);
}

function probeOfValues(values: Values): ReadinessProbe | undefined {
  const handler = handlerOf(values);
  if (handler === undefined) return undefined;
  const times = Object.entries(probeTimes).flatMap(([id, key]) => {
    const text = textOf(values[id]);
    return text === '' ? [] : [[key, Number(text)] as const];
  });
  return { ...Object.fromEntries(times), handler };
}

function handlerOf(values: Values): ReadinessProbe['handler'] | undefined {
  const optional = (id: string) => textOf(values[id]) || undefined;
  const port = Number(textOf(values.probePort));
  const host = optional('probeHost');
  switch (probeKindOf(values)) {
    case 'none':
      return undefined;
    case 'httpGet': {
      const httpHeaders = headersOf(values);
      const scheme = (['HTTP', 'HTTPS'] as const).find((one) => one === optional('probeScheme'));
      return {
        kind: 'httpGet',
        port,
        ...defined({ path: optional('probePath'), host, scheme, httpHeaders: httpHeaders.length === 0 ? undefined : httpHeaders }),
      };
    }
    case 'tcpSocket':
      return { kind: 'tcpSocket', port, ...defined({ host }) };
    case 'exec':
      return { kind: 'exec', command: commandOf(values) };
    case 'grpc':
      return { kind: 'grpc', port, ...defined({ service: optional('probeService') }) };
  }
}

function portRows(values: Values): readonly { readonly name: string; readonly port: string }[] {
  return rowsOf(values.ports)
    .map((row) => ({ name: (row.name ?? '').trim(), port: (row.port ?? '').trim() }))
    .filter(({ name, port }) => name !== '' || port !== '');
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** One word of the command a line, so that nothing has to be quoted. */
function commandOf(values: Values): readonly string[] {
  return linesOf(textOf(values.probeCommand));
}

function headersOf(values: Values): readonly { readonly name: string; readonly value: string }[] {
  return linesOf(textOf(values.probeHeaders)).map((line) => {
    const at = line.indexOf(':');
    return { name: line.slice(0, Math.max(at, 0)).trim(), value: line.slice(at + 1).trim() };
  });
}

/** Broken rules by field id (istiod facts 3.5; names as Kubernetes has them). */
export function problemsOfGroup(values: Values, { t }: Texts): Problems {
  const problems: Problems = {};
  const rule = (field: string, broken: boolean, text: () => string) => {
    if (broken) problems[field] ??= text();
  };
  const is = (id: string) => textOf(values[id]);
  rule('cluster', is('cluster') === '', () => t('forms.rule.cluster'));
  rule('namespace', !isDnsLabel(is('namespace')), () => t('forms.group.rule.name', { value: is('namespace') }));
  rule('name', !isDnsSubdomain(is('name')), () => t('forms.group.rule.name', { value: is('name') }));
  rule('serviceAccount', is('serviceAccount') !== '' && !isDnsSubdomain(is('serviceAccount')), () =>
    t('forms.group.rule.name', { value: is('serviceAccount') }),
  );
  const ports = portRows(values);
  for (const { name, port } of ports) {
    rule('ports', !/^\d{1,5}$/.test(port) || !isPort(Number(port)), () => t('forms.rule.ports', { value: port }));
    rule('ports', !isDnsLabel(name), () => t('forms.group.rule.portName', { value: name }));
    rule('ports', ports.filter((other) => other.name === name).length > 1, () => t('forms.group.rule.portTwice', { value: name }));
  }
  for (const id of ['labels', 'annotations'] as const) {
    const { pairs, wrong } = readPairs(is(id));
    rule(id, wrong !== undefined, () => t('forms.rule.pair', { value: wrong ?? '' }));
    for (const [key, value] of Object.entries(pairs)) {
      rule(id, !isQualifiedName(key), () => t('forms.group.rule.key', { value: key }));
      rule(id, id === 'labels' && !isLabelValue(value), () => t('forms.group.rule.labelValue', { value }));
    }
    rule(id, Object.keys(pairs).length > MOST_PAIRS, () => t('forms.group.rule.tooMany', { most: MOST_PAIRS }));
  }
  rule('network', is('network') !== '' && !isLabelValue(is('network')), () => t('forms.group.rule.network', { value: is('network') }));
  const parts = is('locality').split('/');
  rule('locality', is('locality') !== '' && (parts.length > 3 || parts.some((part) => !isPlainText(part))), () =>
    t('forms.group.rule.locality', { value: is('locality') }),
  );
  rule('weight', is('weight') !== '' && !isCount(is('weight')), () => t('forms.group.rule.count', { value: is('weight') }));
  return { ...problems, ...problemsOfProbe(values, t) };
}

function problemsOfProbe(values: Values, t: Texts['t']): Problems {
  const problems: Problems = {};
  const kind = probeKindOf(values);
  if (kind === 'none') return problems;
  const port = textOf(values.probePort);
  if (kind !== 'exec' && (!/^\d{1,5}$/.test(port) || !isPort(Number(port)))) problems.probePort = t('forms.rule.ports', { value: port });
  if (kind === 'exec') {
    const command = commandOf(values);
    if (command.length === 0) problems.probeCommand = t('forms.group.rule.command');
    const wrong = command.find((word) => !isPlainText(word));
    if (wrong !== undefined) problems.probeCommand = t('forms.group.rule.plain', { value: wrong });
  }
  const path = textOf(values.probePath);
  if (kind === 'httpGet' && path !== '' && !(path.startsWith('/') && isPlainText(path)))
    problems.probePath = t('forms.group.rule.path', { value: path });
  const texts = kind === 'httpGet' || kind === 'tcpSocket' ? ['probeHost'] : kind === 'grpc' ? ['probeService'] : [];
  for (const id of texts) {
    const text = textOf(values[id]);
    if (text !== '' && (!isPlainText(text) || /\s/.test(text))) problems[id] = t('forms.group.rule.plain', { value: text });
  }
  const header =
    kind === 'httpGet'
      ? headersOf(values).find(({ name, value }) => !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) || (value !== '' && !isPlainText(value)))
      : undefined;
  if (header !== undefined) problems.probeHeaders = t('forms.group.rule.header', { value: `${header.name}: ${header.value}` });
  for (const id of Object.keys(probeTimes)) {
    const text = textOf(values[id]);
    if (text !== '' && !isCount(text)) problems[id] = t('forms.group.rule.count', { value: text });
  }
  return problems;
}

function isCount(text: string): boolean {
  return /^\d{1,9}$/.test(text);
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
