import * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import type { MeshRoom } from '../../editor/rooms.ts';
import { readSettings } from '../../editor/settings.ts';
import { manifestUri } from '../../editor/uris.ts';
import type { SetupOptions } from '../../mesh/mesh.ts';
import { gatewayHostnames, providers, type ClusterEntry, type ControlPlaneAuth } from '../../mesh/model.ts';
import { clustersOf, firstCluster, withCluster } from './clusterField.ts';
import type { FormDefinition } from './definition.ts';
import { setupFields } from './setupFields.ts';
import { setupFacts } from './setupFacts.ts';
import { textOf, type Values } from './protocol.ts';
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

  /** Whether a cluster's release needs a provider; undefined until it was asked. The form is drawn anew when the answer comes. */
  const asksProvider = new Map<string, boolean>();
  let again: () => void = () => undefined;
  const learn = (cluster: string, asks: boolean) => {
    if (asksProvider.get(cluster) === asks) return;
    asksProvider.set(cluster, asks);
    again();
  };

  return {
    kind: 'setup',
    title: t('editor.command.setUpCluster'),
    canSaveDraft: true,
    listen: (callback) => {
      again = callback;
      return { dispose: () => (again = () => undefined) };
    },
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
      const asks = asksProvider.get(textOf(values.cluster)) ?? !knowsGroups(app, textOf(values.cluster));
      const problems = textOf(values.cluster) === '' ? { cluster: t('forms.rule.cluster') } : edited.ok ? {} : edited.problems;
      return {
        heading: t('editor.command.setUpCluster'),
        intro: t(asks ? 'forms.setup.intro' : 'forms.setup.intro.gateway'),
        fields: setupFields(app, clusters, { asksProvider: asks, hasHostname: hasHostname(app, textOf(values.cluster)) }),
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
      const cluster = textOf(values.cluster);
      const preview = await (await app.session.mesh()).setupPreview(cluster, options, { signal });
      learn(cluster, preview.providerSource !== 'not-asked');
      const facts = setupFacts(app, preview);
      return {
        facts: options.manifest === undefined ? facts : [...facts, { label: 'YAML', value: t('editor.file.edited') }],
        commands: (preview.commands ?? []).map(({ title, commandLine }) => ({ title: app.texts.say(title), commandLine })),
      };
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
    revision: cluster?.istio.revision ?? '',
    clusterId: cluster?.istio.clusterId ?? '',
    ingressService: cluster?.ingress?.service === 'istio-eastwestgateway' ? '' : (cluster?.ingress?.service ?? ''),
    ingressAddress: cluster?.ingress?.address ?? '',
    ingressHostname: cluster?.ingress?.hostname === 'san' ? 'san' : '',
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
  const istio = {
    namespace: typed('namespace'),
    release: typed('release'),
    controlPlaneAuth: auth,
    revision: typed('revision'),
    clusterId: typed('clusterId'),
  };
  const writesIstio =
    Object.values(istio).some((value) => value !== undefined) ||
    [present?.istio.release, present?.istio.controlPlaneAuth, present?.istio.revision, present?.istio.clusterId].some(
      (value) => value !== undefined,
    );
  const [service, address] = [typed('ingressService'), typed('ingressAddress')];
  const hostname = gatewayHostnames.find((one) => one === typed('ingressHostname'));
  const ingress =
    service === undefined && address === undefined && hostname === undefined
      ? undefined
      : {
          service: service ?? 'istio-eastwestgateway',
          ...(address === undefined ? {} : { address }),
          ...(hostname === undefined ? {} : { hostname }),
        };
  return room.updateCluster(started, name, {
    serviceCidr: cidrs.length === 0 ? undefined : cidrs,
    clusterDomain: typed('clusterDomain'),
    loadBalancers: provider === undefined ? undefined : { provider },
    ingress,
    ...(writesIstio ? { istio } : {}),
  });
}

/** The tree has seen that its VMs reach the control plane through a gateway. */
function knowsGroups(app: App, cluster: string): boolean {
  return app.facts.cluster(cluster).value?.workloadGroups !== undefined;
}

/** The tree has seen that the cluster's gateway has a host name and no address. */
function hasHostname(app: App, cluster: string): boolean {
  return app.facts.cluster(cluster).value?.loadBalancers.some(({ state }) => state === 'hostname') === true;
}

function fieldOf(field: string): string {
  const key = lastKey(field);
  if (field.includes('.ingress')) return { address: 'ingressAddress', hostname: 'ingressHostname' }[key] ?? 'ingressService';
  return key === 'name' || key === 'context' || key === '' ? 'cluster' : key;
}
