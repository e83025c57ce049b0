import * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import type { MeshRoom } from '../../editor/rooms.ts';
import { readSettings } from '../../editor/settings.ts';
import { manifestUri } from '../../editor/uris.ts';
import type { SetupOptions, SetupPreview } from '../../mesh/mesh.ts';
import { providers, type ClusterEntry, type ControlPlaneAuth } from '../../mesh/model.ts';
import { clusterField, clustersOf, firstCluster, withCluster } from './clusterField.ts';
import type { FormDefinition } from './definition.ts';
import { textOf, type Field, type Preview, type Values } from './protocol.ts';
import { lastKey, tryEdit, type Edited } from './rules.ts';

type SetupRequest = Extract<FormRequest, { kind: 'setup' }>;

/** Set Up Cluster: what the guide makes in the cluster, with everything that is found filled in. */
export function setupForm(app: App, request: SetupRequest): FormDefinition {
  const { t } = app.texts;
  const edit = async (values: Values): Promise<Edited> => {
    const [room, state, clusters] = await Promise.all([app.session.rooms.mesh(), app.session.file.read(), clustersOf(app)]);
    return tryEdit(room, app.texts, () => writeCluster(state.text, room, values, clusters), fieldOf);
  };
  const setup = async (values: Values): Promise<SetupOptions> => {
    const manifest = await app.generated.editedManifest(textOf(values.cluster));
    return { waitMs: readSettings().timeouts.addressesMs, ...(manifest === undefined ? {} : { manifest }) };
  };

  return {
    kind: 'setup',
    title: t('editor.command.setUpCluster'),
    canSaveDraft: true,
    requested: request.cluster === undefined ? {} : { cluster: request.cluster },
    initial: async () => {
      const cluster = await firstCluster(app, request.cluster);
      return valuesOf(
        cluster,
        (await clustersOf(app)).find(({ name }) => name === cluster),
      );
    },
    settle: async (values) => {
      // Another cluster has other values: what was typed belongs to the one before.
      const cluster = textOf(values.cluster);
      if (cluster === textOf(values.of)) return values;
      return valuesOf(
        cluster,
        (await clustersOf(app)).find(({ name }) => name === cluster),
      );
    },
    describe: async (values) => {
      const [clusters, room, edited] = await Promise.all([clustersOf(app), app.session.rooms.mesh(), edit(values)]);
      const problems = textOf(values.cluster) === '' ? { cluster: t('forms.rule.cluster') } : edited.ok ? {} : edited.problems;
      return {
        heading: t('editor.command.setUpCluster'),
        intro: t('forms.setup.intro'),
        fields: fieldsOf(app, clusters),
        problems,
        submitLabel: t('forms.setup.submit'),
        extra: { id: 'manifest', label: t('forms.setup.manifest') },
        ...(Object.keys(problems).length === 0
          ? { commandLine: room.commandLine(['mesh-expansion', 'cluster', 'setup', '--cluster', textOf(values.cluster)]) }
          : {}),
      };
    },
    drafts: async (values) => {
      const edited = await edit(values);
      const cluster = edited.ok ? edited.inventory.clusters.find(({ name }) => name === textOf(values.cluster)) : undefined;
      return cluster === undefined ? [] : [{ cluster }];
    },
    jobs: (values) => {
      const cluster = textOf(values.cluster);
      return [
        {
          vms: [],
          clusters: [cluster],
          make: async (options) => (await app.session.mesh()).planSetup(cluster, await setup(values), options),
        },
      ];
    },
    facts: async (values, signal) => {
      const options = await setup(values);
      const facts = factsOf(app, await (await app.session.mesh()).setupPreview(textOf(values.cluster), options, { signal }));
      return options.manifest === undefined ? facts : [...facts, { label: 'YAML', value: t('editor.file.edited') }];
    },
    open: async () => undefined,
    save: async (values) => {
      const clusters = await clustersOf(app);
      await app.session.file.edit((text, room) => writeCluster(text, room, values, clusters));
    },
    extra: async (values) => {
      const cluster = textOf(values.cluster);
      const { manifest } = await (await app.session.mesh()).setupPreview(cluster, { provider: (await setup(values)).provider });
      await app.generated.offerManifest(cluster, manifest);
      await vscode.window.showTextDocument(manifestUri(cluster), { viewColumn: vscode.ViewColumn.Beside });
    },
  };
}

function factsOf(app: App, preview: SetupPreview): Preview['facts'] {
  const { t } = app.texts;
  const denied = preview.denied.map(
    ({ verb, resource, group, namespace }) =>
      `${verb} ${resource}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` (${namespace})`}`,
  );
  return [
    { label: t('forms.setup.release'), value: `Istio ${preview.controlPlane.release}` },
    {
      label: t('forms.setup.provider'),
      value:
        preview.provider === undefined
          ? t('forms.setup.provider.none')
          : t(`forms.setup.provider.${preview.providerSource}`, { provider: preview.provider }),
      bad: preview.provider === undefined,
    },
    {
      label: t('forms.setup.serviceCidr'),
      value:
        preview.serviceCidrs === undefined
          ? t('forms.setup.serviceCidr.unknown')
          : t('forms.setup.serviceCidr.found', { cidrs: preview.serviceCidrs.cidrs.join(', '), how: preview.serviceCidrs.source }),
      bad: preview.serviceCidrs === undefined,
    },
    ...(denied.length === 0 ? [] : [{ label: t('forms.setup.denied'), value: denied.join(', '), bad: true }]),
  ];
}

function fieldsOf(app: App, clusters: readonly ClusterEntry[]): readonly Field[] {
  const { t } = app.texts;
  return [
    clusterField(app, clusters),
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
    {
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
    },
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

function valuesOf(name: string, cluster: ClusterEntry | undefined): Values {
  const namespace = cluster?.istio.namespace ?? '';
  const domain = cluster?.clusterDomain ?? '';
  return {
    cluster: name,
    of: name,
    provider: cluster?.loadBalancers?.provider ?? '',
    serviceCidr: (cluster?.serviceCidr ?? []).join(', '),
    namespace: namespace === 'istio-system' ? '' : namespace,
    release: cluster?.istio.release ?? '',
    controlPlaneAuth: cluster?.istio.controlPlaneAuth ?? '',
    clusterDomain: domain === 'cluster.local' ? '' : domain,
  };
}

function writeCluster(text: string, room: MeshRoom, values: Values, clusters: readonly ClusterEntry[]): string {
  const typed = (id: string) => textOf(values[id]) || undefined;
  const cidrs = (typed('serviceCidr') ?? '').split(/[\s,]+/).filter((word) => word !== '');
  const name = textOf(values.cluster);
  const provider = providers.find((one) => one === typed('provider'));
  const auth = (['MUTUAL_TLS', 'NONE'] as const satisfies readonly ControlPlaneAuth[]).find((one) => one === typed('controlPlaneAuth'));
  const started = withCluster(text, room, name, clusters);
  const reading = room.readInventory(started);
  const present = reading.ok ? reading.parsed.inventory.clusters.find((cluster) => cluster.name === name) : undefined;
  const istio = { namespace: typed('namespace'), release: typed('release'), controlPlaneAuth: auth };
  const writesIstio =
    Object.values(istio).some((value) => value !== undefined) ||
    present?.istio.release !== undefined ||
    present?.istio.controlPlaneAuth !== undefined;
  return room.updateCluster(started, name, {
    serviceCidr: cidrs.length === 0 ? undefined : cidrs,
    clusterDomain: typed('clusterDomain'),
    loadBalancers: provider === undefined ? undefined : { provider },
    ...(writesIstio ? { istio } : {}),
  });
}

function fieldOf(field: string): string {
  const key = lastKey(field);
  return key === 'name' || key === 'context' || key === '' ? 'cluster' : key;
}
