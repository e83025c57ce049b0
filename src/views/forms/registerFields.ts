import type { App } from '../../editor/app.ts';
import type { ClusterEntry, VmEntry } from '../../mesh/model.ts';
import { clusterField } from './clusterField.ts';
import type { Field } from './protocol.ts';

/** Fields of a service. Names of its own are asked for where the cluster selects machines by labels: elsewhere nothing could answer to them. */
export function registerFields(app: App, clusters: readonly ClusterEntry[], vms: readonly VmEntry[], hasGroups: boolean): readonly Field[] {
  const { t } = app.texts;
  return [
    {
      kind: 'text',
      id: 'name',
      label: t('forms.register.name'),
      help: t('forms.register.name.help'),
      required: true,
      placeholder: 'mysql',
    },
    clusterField(app, clusters),
    {
      kind: 'text',
      id: 'namespace',
      label: t('forms.namespace'),
      help: t('forms.register.namespace.help'),
      required: true,
      placeholder: 'onprem',
    },
    {
      kind: 'rows',
      id: 'ports',
      label: t('forms.register.ports'),
      help: t('forms.register.ports.help'),
      required: true,
      add: t('forms.register.ports.add'),
      remove: t('forms.register.ports.remove'),
      columns: [
        { id: 'port', label: t('forms.register.ports.port'), placeholder: '3306' },
        { id: 'name', label: t('forms.register.ports.name'), placeholder: 'mysql' },
        { id: 'targetPort', label: t('forms.register.ports.targetPort'), placeholder: t('forms.register.ports.same') },
      ],
    },
    {
      kind: 'checklist',
      id: 'vms',
      label: t('forms.register.vms'),
      help: t('forms.register.vms.help'),
      required: true,
      filter: t('forms.join.hosts.filter'),
      empty: t('forms.register.vms.empty'),
      choices: vms.map((vm) => ({ value: vm.name, label: vm.name, description: vm.address ?? '' })),
    },
    {
      kind: 'text',
      id: 'serviceAccount',
      label: t('forms.serviceAccount'),
      help: t('forms.register.serviceAccount.help'),
      placeholder: 'default',
    },
    ...(hasGroups
      ? [
          {
            kind: 'text' as const,
            id: 'hosts',
            label: t('forms.register.hosts'),
            help: t('forms.register.hosts.help'),
            advanced: true,
            placeholder: 'mysql.example.org',
          },
        ]
      : []),
    {
      kind: 'lines',
      id: 'labels',
      label: t('forms.register.labels'),
      help: t('forms.register.pairs.help'),
      advanced: true,
      placeholder: 'app=mysql',
    },
    { kind: 'lines', id: 'annotations', label: t('forms.register.annotations'), help: t('forms.register.pairs.help'), advanced: true },
  ];
}
