import * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import type { MeshRoom } from '../../editor/rooms.ts';
import type { ClusterEntry, VmEntry } from '../../mesh/model.ts';
import type { HostAlias, PackageSource } from '../../mesh/ports.ts';
import { clusterField, clustersOf, firstCluster, withCluster } from './clusterField.ts';
import type { FormDefinition } from './definition.ts';
import { openGenerated } from './openGenerated.ts';
import { listOf, textOf, type Field, type Values } from './protocol.ts';
import { lastKey, readPorts, tryEdit, type Edited, type Problems } from './rules.ts';

type JoinRequest = Extract<FormRequest, { kind: 'join' }>;

/** Join VM: hosts, cluster, identity, ports, package. Several hosts share everything but name and address. */
export function joinForm(app: App, request: JoinRequest): FormDefinition {
  const { t } = app.texts;
  let hosts: readonly HostAlias[] | undefined;
  const readHosts = async () => (hosts ??= await (await app.session.backend()).connections.hosts());

  const edit = async (values: Values): Promise<Edited> => {
    const [room, state, clusters] = await Promise.all([app.session.rooms.mesh(), app.session.file.read(), clustersOf(app)]);
    return tryEdit(room, app.texts, () => writeVms(state.text, room, values, clusters), fieldOf);
  };
  const problemsOf = async (values: Values): Promise<Problems> => {
    const problems: Problems = {};
    if (listOf(values.hosts).length === 0) problems.hosts = t('forms.join.rule.hosts');
    if (textOf(values.cluster) === '') problems.cluster = t('forms.rule.cluster');
    if (textOf(values.namespace) === '') problems.namespace = t('forms.rule.namespace');
    const { wrong } = readPorts(textOf(values.inboundPorts));
    if (wrong !== undefined) problems.inboundPorts = t('forms.rule.ports', { value: wrong });
    if (packageSource(textOf(values.package)) === 'wrong') problems.package = t('forms.join.rule.package');
    if (problems.hosts !== undefined || problems.cluster !== undefined) return problems;
    const edited = await edit(values);
    return edited.ok ? problems : { ...edited.problems, ...problems };
  };

  return {
    kind: 'join',
    title: t('editor.command.joinVm'),
    canSaveDraft: true,
    requested: {
      ...(request.host === undefined ? {} : { hosts: [request.host] }),
      ...(request.cluster === undefined ? {} : { cluster: request.cluster }),
      ...(request.address === undefined ? {} : { address: request.address }),
    },
    initial: async () => {
      const known = (await app.session.inventory()).vms.find(({ name }) => name === request.vm);
      return known === undefined
        ? {
            hosts: [],
            cluster: await firstCluster(app, request.cluster),
            namespace: '',
            serviceAccount: 'default',
            inboundPorts: '',
            package: '',
            name: '',
            address: '',
          }
        : valuesOf(known);
    },
    describe: async (values) => {
      const [list, clusters, problems, room] = await Promise.all([
        readHosts(),
        clustersOf(app),
        problemsOf(values),
        app.session.rooms.mesh(),
      ]);
      const names = namesOf(values);
      const source = textOf(values.package);
      const words = ['mesh-expansion', 'join', ...names.flatMap((name) => ['--vm', name]), ...(source === '' ? [] : ['--package', source])];
      return {
        heading: t('editor.command.joinVm'),
        intro: t('forms.join.intro'),
        fields: fieldsOf(app, list, clusters, listOf(values.hosts)),
        problems,
        submitLabel: names.length > 1 ? t('forms.join.submitSeveral', { count: names.length }) : t('forms.join.submit'),
        ...(Object.keys(problems).length === 0 ? { commandLine: room.commandLine(words) } : {}),
      };
    },
    drafts: async (values) => {
      const edited = await edit(values);
      if (!edited.ok) return [];
      const names = new Set(namesOf(values));
      const cluster = edited.inventory.clusters.find(({ name }) => name === textOf(values.cluster));
      return edited.inventory.vms
        .filter(({ name }) => names.has(name))
        .map((vm) => ({ vm, ...(cluster === undefined ? {} : { cluster }) }));
    },
    jobs: (values) => {
      const source = packageSource(textOf(values.package));
      const join = source === undefined || source === 'wrong' ? {} : { package: source };
      return namesOf(values).map((vm) => ({
        vms: [vm],
        clusters: [textOf(values.cluster)],
        make: async (options) => (await app.session.mesh()).planJoin(vm, join, options),
      }));
    },
    open: (values, file) => openGenerated(app, textOf(values.cluster), namesOf(values), listOf(values.hosts), file),
    save: async (values) => {
      const clusters = await clustersOf(app);
      await app.session.file.edit((text, room) => writeVms(text, room, values, clusters));
    },
    browse: async () => {
      const [chosen] =
        (await vscode.window.showOpenDialog({
          canSelectMany: false,
          title: t('forms.join.package.browse'),
          filters: { [t('forms.join.package')]: ['deb', 'VERSION'] },
        })) ?? [];
      return chosen?.fsPath;
    },
  };
}

function fieldsOf(app: App, hosts: readonly HostAlias[], clusters: readonly ClusterEntry[], chosen: readonly string[]): readonly Field[] {
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

function valuesOf(vm: VmEntry): Values {
  const ports = vm.inboundPorts === '*' ? '*' : (vm.inboundPorts ?? []).join(', ');
  return {
    hosts: [vm.host],
    cluster: vm.cluster,
    namespace: vm.namespace,
    serviceAccount: vm.serviceAccount,
    inboundPorts: ports,
    package: '',
    name: vm.name,
    address: vm.address ?? '',
  };
}

/** Names of the VMs: the one that is typed where there is one host, else the hosts' aliases. */
function namesOf(values: Values): readonly string[] {
  const hosts = listOf(values.hosts);
  const name = textOf(values.name);
  return hosts.length === 1 && name !== '' ? [name] : hosts;
}

function writeVms(text: string, room: MeshRoom, values: Values, clusters: readonly ClusterEntry[]): string {
  const hosts = listOf(values.hosts);
  const cluster = textOf(values.cluster);
  const serviceAccount = textOf(values.serviceAccount);
  const address = textOf(values.address);
  const started = withCluster(text, room, cluster, clusters);
  return namesOf(values).reduce((current, name, index) => {
    const host = hosts[index] ?? name;
    const fields = {
      cluster,
      namespace: textOf(values.namespace),
      host: host === name ? undefined : host,
      serviceAccount: serviceAccount === '' || serviceAccount === 'default' ? undefined : serviceAccount,
      address: hosts.length === 1 && address !== '' ? address : undefined,
      inboundPorts: readPorts(textOf(values.inboundPorts)).ports,
    };
    const known = room.readInventory(current);
    const exists = known.ok && known.parsed.inventory.vms.some((vm) => vm.name === name);
    return exists ? room.updateVm(current, name, fields) : room.addVm(current, { name, ...fields });
  }, started);
}

function fieldOf(field: string): string {
  const key = lastKey(field);
  if (field.startsWith('clusters')) return 'cluster';
  return key === 'host' || key === '' ? 'hosts' : key;
}

/** `wrong` where the text is neither a path, nor a URL, nor an istio.VERSION file. */
function packageSource(text: string): PackageSource | 'wrong' | undefined {
  if (text === '') return undefined;
  if (/^https?:\/\/\S+$/.test(text)) return { kind: 'url', url: text };
  if (/^[a-z][a-z+]*:\/\//i.test(text)) return 'wrong';
  if (/(^|[/\\])istio\.VERSION$/.test(text)) return { kind: 'istio.VERSION', path: text };
  return text.endsWith('.deb') ? { kind: 'file', path: text } : 'wrong';
}
