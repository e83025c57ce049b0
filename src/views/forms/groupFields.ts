import type { App } from '../../editor/app.ts';
import type { ClusterEntry } from '../../mesh/model.ts';
import { clusterField } from './clusterField.ts';
import { probeKindOf, probeKinds, probeTimes, type ProbeKind } from './groupValues.ts';
import type { Field, Values } from './protocol.ts';

/** Fields of a workload group; the name of one that is edited cannot be changed. */
export function groupFields(app: App, clusters: readonly ClusterEntry[], values: Values, isNew: boolean): readonly Field[] {
  const { t } = app.texts;
  const text = (
    id: string,
    more: { readonly placeholder?: string; readonly required?: boolean; readonly advanced?: boolean } = {},
  ): Field => ({
    kind: 'text',
    id,
    label: t(`forms.group.${id}`),
    help: t(`forms.group.${id}.help`),
    ...more,
  });
  return [
    ...(isNew
      ? [
          clusterField(app, clusters),
          text('namespace', { required: true, placeholder: 'vm' }),
          text('name', { required: true, placeholder: 'mysql' }),
        ]
      : []),
    text('serviceAccount', { placeholder: 'default' }),
    {
      kind: 'rows',
      id: 'ports',
      label: t('forms.group.ports'),
      help: t('forms.group.ports.help'),
      add: t('forms.register.ports.add'),
      remove: t('forms.register.ports.remove'),
      columns: [
        { id: 'name', label: t('forms.register.ports.name'), placeholder: 'tcp-mysql' },
        { id: 'port', label: t('forms.register.ports.port'), placeholder: '3306' },
      ],
    },
    { kind: 'lines', id: 'labels', label: t('forms.register.labels'), help: t('forms.group.labels.help'), placeholder: 'app=mysql' },
    {
      kind: 'choice',
      id: 'probe',
      label: t('forms.group.probe'),
      help: t(`forms.group.probe.help.${probeKindOf(values)}`),
      choices: probeKinds.map((value) => ({ value, label: t(`forms.group.probe.${value}`) })),
    },
    ...probeFields(probeKindOf(values), text, t),
    text('network', { advanced: true }),
    text('locality', { advanced: true, placeholder: 'region/zone/subzone' }),
    text('weight', { advanced: true }),
    { kind: 'lines', id: 'annotations', label: t('forms.register.annotations'), help: t('forms.group.annotations.help'), advanced: true },
  ];
}

type MakeText = (id: string, more?: { readonly placeholder?: string; readonly required?: boolean; readonly advanced?: boolean }) => Field;

function probeFields(kind: ProbeKind, text: MakeText, t: App['texts']['t']): readonly Field[] {
  if (kind === 'none') return [];
  const lines = (id: string, placeholder: string): Field => ({
    kind: 'lines',
    id,
    label: t(`forms.group.${id}`),
    help: t(`forms.group.${id}.help`),
    placeholder,
  });
  const port = text('probePort', { required: true, placeholder: '8080' });
  const host = text('probeHost', { advanced: true });
  const own: Readonly<Record<Exclude<ProbeKind, 'none'>, readonly Field[]>> = {
    httpGet: [
      port,
      text('probePath', { placeholder: '/' }),
      {
        kind: 'choice',
        id: 'probeScheme',
        label: t('forms.group.probeScheme'),
        help: t('forms.group.probeScheme.help'),
        advanced: true,
        choices: ['', 'HTTP', 'HTTPS'].map((value) => ({ value, label: value === '' ? t('forms.group.probeScheme.default') : value })),
      },
      host,
      { ...lines('probeHeaders', 'Authorization: Basic'), advanced: true },
    ],
    tcpSocket: [port, { ...host, advanced: false }],
    exec: [lines('probeCommand', '/usr/bin/mysqladmin\nping')],
    grpc: [port, text('probeService')],
  };
  return [...own[kind], ...Object.keys(probeTimes).map((id) => text(id, { advanced: true }))];
}
