import type { App } from '../../editor/app.ts';
import { gatewayHostnames, providers, type ClusterEntry } from '../../mesh/model.ts';
import { clusterField } from './clusterField.ts';
import type { Field } from './protocol.ts';

type T = App['texts']['t'];

/**
 * Fields of a cluster. `asksProvider`: load balancers of its own are made for VMs; else VMs come in through a gateway that is there. `hasHostname`: that has a
 * host name and no address.
 */
export function setupFields(
  app: App,
  clusters: readonly ClusterEntry[],
  { asksProvider, hasHostname }: { readonly asksProvider: boolean; readonly hasHostname: boolean },
): readonly Field[] {
  const { t } = app.texts;
  return [
    clusterField(app, clusters),
    ...(asksProvider ? balancerFields(t) : gatewayFields(t, hasHostname)),
    {
      kind: 'text',
      id: 'namespace',
      label: t('forms.setup.namespace'),
      help: t('forms.setup.namespace.help'),
      advanced: true,
      placeholder: 'istio-system',
    },
    {
      kind: 'text',
      id: 'release',
      label: t('forms.setup.release'),
      help: t('forms.setup.release.help'),
      advanced: true,
      placeholder: t('forms.found'),
    },
    ...(asksProvider ? [authField(t)] : []),
    {
      kind: 'text',
      id: 'clusterDomain',
      label: t('forms.setup.clusterDomain'),
      help: t('forms.setup.clusterDomain.help'),
      advanced: true,
      placeholder: 'cluster.local',
    },
  ];
}

function balancerFields(t: T): readonly Field[] {
  return [
    {
      kind: 'choice',
      id: 'provider',
      label: t('forms.setup.provider'),
      help: t('forms.setup.provider.help'),
      choices: [
        { value: '', label: t('forms.setup.provider.detect') },
        ...providers.map((value) => ({ value, label: t(`forms.provider.${value}`) })),
      ],
    },
    {
      kind: 'text',
      id: 'serviceCidr',
      label: t('forms.setup.serviceCidr'),
      help: t('forms.setup.serviceCidr.help'),
      placeholder: t('forms.found'),
    },
  ];
}

function gatewayFields(t: T, hasHostname: boolean): readonly Field[] {
  const text = (id: string, placeholder: string, advanced: boolean): Field => ({
    kind: 'text',
    id,
    label: t(`forms.setup.${id}`),
    help: t(`forms.setup.${id}.help`),
    placeholder,
    advanced,
  });
  return [
    text('ingressService', 'istio-eastwestgateway', false),
    text('ingressAddress', t('forms.found'), false),
    {
      kind: 'choice',
      id: 'ingressHostname',
      label: t('forms.setup.ingressHostname'),
      help: t('forms.setup.ingressHostname.help'),
      advanced: !hasHostname,
      choices: gatewayHostnames.map((value) => ({
        value: value === 'resolve' ? '' : value,
        label: t(`forms.setup.ingressHostname.${value}`),
      })),
    },
    text('revision', t('forms.found'), true),
    text('clusterId', t('forms.found'), true),
  ];
}

function authField(t: T): Field {
  return {
    kind: 'choice',
    id: 'controlPlaneAuth',
    label: t('forms.setup.auth'),
    help: t('forms.setup.auth.help'),
    advanced: true,
    choices: [
      { value: '', label: t('forms.setup.auth.mesh') },
      { value: 'MUTUAL_TLS', label: 'MUTUAL_TLS' },
      { value: 'NONE', label: 'NONE' },
    ],
  };
}
