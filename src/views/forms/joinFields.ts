import type { App } from '../../editor/app.ts';
import type { ClusterEntry, WorkloadGroupFacts } from '../../mesh/model.ts';
import type { HostAlias } from '../../mesh/ports.ts';
import { clusterField } from './clusterField.ts';
import type { Field } from './protocol.ts';

type T = App['texts']['t'];

/** What a machine is joined by: `unknown` until the cluster has answered; groups to choose from; or a plain namespace and account. */
export type JoinShape = 'unknown' | 'plain' | readonly WorkloadGroupFacts[];

interface Given {
  readonly hosts: readonly HostAlias[];
  readonly clusters: readonly ClusterEntry[];
  /** Chosen hosts. */
  readonly chosen: readonly string[];
  readonly shape: JoinShape;
}

export function joinFields(app: App, { hosts, clusters, chosen, shape }: Given): readonly Field[] {
  const { t } = app.texts;
  const unknown = chosen
    .filter((alias) => !hosts.some((host) => host.alias === alias))
    .map((alias) => ({ alias, hostName: undefined, user: undefined }));
  const describe = (host: HostAlias) => [host.user, host.hostName].filter((part) => part !== undefined).join('@');
  const one = chosen.length <= 1;
  return [
    {
      kind: 'checklist',
      id: 'hosts',
      label: t('forms.join.hosts'),
      help: t('forms.join.hosts.help'),
      required: true,
      filter: t('forms.join.hosts.filter'),
      empty: t('forms.join.hosts.empty'),
      choices: [...unknown, ...hosts].map((host) => ({ value: host.alias, label: host.alias, description: describe(host) })),
    },
    clusterField(app, clusters),
    ...(shape === 'unknown' ? [] : shape === 'plain' ? plainFields(t) : groupedFields(t, shape)),
    {
      kind: 'text',
      id: 'package',
      label: t('forms.join.package'),
      help: t('forms.join.package.help'),
      placeholder: 'istio-sidecar.deb',
      browse: t('forms.browse'),
    },
    ...(one
      ? [
          ...(typeof shape === 'object'
            ? [
                {
                  kind: 'text' as const,
                  id: 'externalAddress',
                  label: t('forms.join.externalAddress'),
                  help: t('forms.join.externalAddress.help'),
                  advanced: true,
                },
              ]
            : []),
          {
            kind: 'text' as const,
            id: 'address',
            label: t('forms.join.address'),
            help: t('forms.join.address.help'),
            advanced: true,
            placeholder: t('forms.join.address.asked'),
          },
          {
            kind: 'text' as const,
            id: 'name',
            label: t('forms.join.name'),
            help: t('forms.join.name.help'),
            advanced: true,
            placeholder: chosen[0] ?? '',
          },
        ]
      : []),
  ];
}

function plainFields(t: T): readonly Field[] {
  return [
    { kind: 'text', id: 'namespace', label: t('forms.namespace'), help: t('forms.join.namespace.help'), required: true, placeholder: 'vm' },
    {
      kind: 'text',
      id: 'serviceAccount',
      label: t('forms.serviceAccount'),
      help: t('forms.join.serviceAccount.help'),
      placeholder: 'default',
    },
    {
      kind: 'text',
      id: 'inboundPorts',
      label: t('forms.join.inboundPorts'),
      help: t('forms.join.inboundPorts.help'),
      placeholder: '3306, 8080',
    },
  ];
}

/** Namespace, account and ports come from the group. */
function groupedFields(t: T, groups: readonly WorkloadGroupFacts[]): readonly Field[] {
  return [
    {
      kind: 'choice',
      id: 'workloadGroup',
      label: t('forms.join.group'),
      help: t('forms.join.group.help'),
      required: true,
      browse: t('forms.join.group.new'),
      choices: [
        { value: '', label: t(groups.length === 0 ? 'forms.join.group.none' : 'forms.join.group.choose') },
        ...groups.map(({ group }) => ({
          value: `${group.namespace}/${group.name}`,
          label: `${group.namespace}/${group.name}`,
          description: t('forms.join.group.account', { account: group.serviceAccount }),
        })),
      ],
    },
    {
      kind: 'checklist',
      id: 'options',
      label: t('forms.join.options'),
      help: t('forms.join.options.help'),
      filter: '',
      empty: '',
      choices: ['autoRegister', 'captureDns'].map((value) => ({
        value,
        label: t(`forms.join.${value}`),
        description: t(`forms.join.${value}.help`),
      })),
    },
  ];
}
