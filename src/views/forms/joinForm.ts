import * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import { packageSource } from '../../editor/packageSource.ts';
import type { HostAlias } from '../../mesh/ports.ts';
import { clustersOf, firstCluster } from './clusterField.ts';
import { clusterKnowledge } from './clusterKnowledge.ts';
import type { FormDefinition } from './definition.ts';
import { joinFields, type JoinShape } from './joinFields.ts';
import { namesOf, valuesOfVm, writeVms } from './joinValues.ts';
import { openGenerated } from './openGenerated.ts';
import { listOf, textOf, type Values } from './protocol.ts';
import { lastKey, readPorts, tryEdit, type Edited, type Problems } from './rules.ts';

type JoinRequest = Extract<FormRequest, { kind: 'join' }>;

/** Join VM: hosts, cluster, identity, ports, package. Several hosts share everything but name and address. */
export function joinForm(app: App, request: JoinRequest): FormDefinition {
  const { t } = app.texts;
  let hosts: readonly HostAlias[] | undefined;
  const readHosts = async () => (hosts ??= await (await app.session.backend()).connections.hosts());

  const knowledge = clusterKnowledge(app);
  /** A cluster that does not answer is taken for one without groups: its error shows where the steps would be. */
  const shapeOf = (values: Values): JoinShape => {
    const cluster = textOf(values.cluster);
    const { value, loading } = knowledge.of(cluster);
    if (value === undefined) return cluster !== '' && loading ? 'unknown' : 'plain';
    return value.workloadGroups ?? 'plain';
  };

  const edit = async (values: Values): Promise<Edited> => {
    const [room, state, clusters] = await Promise.all([app.session.rooms.mesh(), app.session.file.read(), clustersOf(app)]);
    return tryEdit(room, app.texts, () => writeVms(state.text, room, values, { clusters, shape: shapeOf(values) }), fieldOf);
  };
  const problemsOf = async (values: Values): Promise<Problems> => {
    const problems: Problems = {};
    if (listOf(values.hosts).length === 0) problems.hosts = t('forms.join.rule.hosts');
    if (textOf(values.cluster) === '') problems.cluster = t('forms.rule.cluster');
    const shape = shapeOf(values);
    const limit = knowledge.of(textOf(values.cluster)).value?.controlPlane.limits?.find(({ blocking }) => blocking);
    if (shape === 'unknown') problems.cluster = t('forms.cluster.reading');
    if (limit !== undefined)
      problems.cluster = [limit.text, ...(limit.nextStep === undefined ? [] : [limit.nextStep])].map((one) => app.texts.say(one)).join(' ');
    if (shape === 'plain' && textOf(values.namespace) === '') problems.namespace = t('forms.rule.namespace');
    if (typeof shape === 'object' && textOf(values.workloadGroup) === '') problems.workloadGroup = t('forms.join.rule.group');
    const { wrong } = readPorts(textOf(values.inboundPorts));
    if (shape === 'plain' && wrong !== undefined) problems.inboundPorts = t('forms.rule.ports', { value: wrong });
    if (packageSource(textOf(values.package)) === 'wrong') problems.package = t('forms.join.rule.package');
    if (problems.hosts !== undefined || problems.cluster !== undefined || problems.workloadGroup !== undefined) return problems;
    const edited = await edit(values);
    return edited.ok ? problems : { ...edited.problems, ...problems };
  };

  return {
    kind: 'join',
    subject: request.vm,
    listen: knowledge.listen,
    title: t('editor.command.joinVm'),
    canSaveDraft: true,
    requested: {
      ...(request.host === undefined ? {} : { hosts: [request.host] }),
      ...(request.cluster === undefined ? {} : { cluster: request.cluster }),
      ...(request.address === undefined ? {} : { address: request.address }),
      ...(request.group === undefined ? {} : { workloadGroup: request.group }),
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
            workloadGroup: '',
            options: ['autoRegister', 'captureDns'],
            externalAddress: '',
          }
        : valuesOfVm(known);
    },
    settle: async (values) => {
      // A group of another cluster is none of this one; the only one need not be chosen.
      const shape = shapeOf(values);
      if (typeof shape === 'string') return values;
      const names = shape.map(({ group }) => `${group.namespace}/${group.name}`);
      const chosen = textOf(values.workloadGroup);
      const [only = ''] = names;
      return { ...values, workloadGroup: names.includes(chosen) ? chosen : names.length === 1 ? only : '' };
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
        fields: joinFields(app, { hosts: list, clusters, chosen: listOf(values.hosts), shape: shapeOf(values) }),
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
      await app.session.file.edit((text, room) => writeVms(text, room, values, { clusters, shape: shapeOf(values) }));
    },
    browse: async (field, values) => {
      if (field === 'workloadGroup') {
        app.openForm({ kind: 'group', cluster: textOf(values.cluster) });
        return undefined;
      }
      const [chosen] =
        (await vscode.window.showOpenDialog({
          canSelectMany: false,
          title: t('forms.join.package.browse'),
          filters: { [t('forms.join.package')]: ['deb', 'rpm', 'VERSION'] },
        })) ?? [];
      return chosen?.fsPath;
    },
  };
}

function fieldOf(field: string): string {
  const key = lastKey(field);
  if (field.startsWith('clusters')) return 'cluster';
  return key === 'host' || key === '' ? 'hosts' : key;
}
