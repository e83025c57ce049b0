import type { App, FormRequest } from '../../editor/app.ts';
import type { MeshRoom } from '../../editor/rooms.ts';
import type { ClusterEntry, ServiceEntry } from '../../mesh/model.ts';
import { clustersOf, firstCluster, withCluster } from './clusterField.ts';
import { clusterKnowledge } from './clusterKnowledge.ts';
import type { FormDefinition } from './definition.ts';
import { registerFields } from './registerFields.ts';
import { listOf, rowsOf, textOf, type Values } from './protocol.ts';
import { lastKey, readPairs, tryEdit, type Edited, type Problems } from './rules.ts';

type RegisterRequest = Extract<FormRequest, { kind: 'register' }>;

/** Names that istioctl register gives to a port without one (citadel facts 5). */
const defaultNames: Readonly<Record<string, string>> = { '80': 'http', '443': 'https', '3306': 'mysql', '8080': 'http' };
/** What Istio reads from a port's name before the first `-` (citadel facts 5); anything else is plain TCP. */
const protocols = ['http', 'http2', 'https', 'grpc', 'mongo', 'redis', 'mysql', 'tcp', 'tls', 'udp'];

/** Register Service: name, ports and the VMs behind it. */
export function registerForm(app: App, request: RegisterRequest): FormDefinition {
  const { t } = app.texts;
  const knowledge = clusterKnowledge(app);
  const edit = async (values: Values): Promise<Edited> => {
    const [room, state, clusters] = await Promise.all([app.session.rooms.mesh(), app.session.file.read(), clustersOf(app)]);
    return tryEdit(room, app.texts, () => writeService(state.text, room, values, clusters), fieldOf);
  };
  const problemsOf = async (values: Values): Promise<Problems> => {
    const problems: Problems = {};
    for (const id of ['name', 'cluster', 'namespace'] as const) if (textOf(values[id]) === '') problems[id] = t(`forms.rule.${id}`);
    const ports = portRows(values);
    const wrong = ports
      .flatMap((row) => [row.port, ...(row.targetPort === '' ? [] : [row.targetPort])])
      .find((text) => !/^\d{1,5}$/.test(text));
    if (ports.length === 0) problems.ports = t('forms.register.rule.ports');
    else if (wrong !== undefined) problems.ports = t('forms.rule.ports', { value: wrong });
    for (const id of ['labels', 'annotations'] as const) {
      const pair = readPairs(textOf(values[id])).wrong;
      if (pair !== undefined) problems[id] = t('forms.rule.pair', { value: pair });
    }
    if (listOf(values.vms).length === 0) problems.vms = t('forms.register.rule.vms');
    if (problems.cluster !== undefined || problems.ports !== undefined) return problems;
    const edited = await edit(values);
    return edited.ok ? problems : { ...edited.problems, ...problems };
  };
  const reference = (values: Values) => `${textOf(values.name)}.${textOf(values.namespace)}`;

  return {
    kind: 'register',
    subject: request.service,
    title: t('editor.command.registerService'),
    canSaveDraft: true,
    listen: knowledge.listen,
    requested: {
      ...(request.cluster === undefined ? {} : { cluster: request.cluster }),
      ...(request.vms === undefined ? {} : { vms: request.vms }),
    },
    initial: async () => {
      const known = (await app.session.inventory()).services.find(
        ({ name, namespace }) => request.service === name || request.service === `${name}.${namespace}`,
      );
      if (known !== undefined) return valuesOf(known);
      return {
        name: '',
        cluster: await firstCluster(app, request.cluster),
        namespace: '',
        ports: [{ name: '', port: '', targetPort: '' }],
        vms: [],
        serviceAccount: 'default',
        labels: '',
        annotations: '',
      };
    },
    describe: async (values) => {
      const [inventory, problems, room] = await Promise.all([app.session.inventory(), problemsOf(values), app.session.rooms.mesh()]);
      const vms = inventory.vms.filter((vm) => vm.cluster === textOf(values.cluster));
      const hasGroups = knowledge.of(textOf(values.cluster)).value?.workloadGroups !== undefined;
      return {
        heading: t('editor.command.registerService'),
        intro: t(hasGroups ? 'forms.register.intro.selected' : 'forms.register.intro'),
        fields: registerFields(app, inventory.clusters, vms, hasGroups),
        problems,
        submitLabel: t('forms.register.submit'),
        ...(Object.keys(problems).length === 0
          ? { commandLine: room.commandLine(['mesh-expansion', 'register', '--service', reference(values)]) }
          : {}),
      };
    },
    drafts: async (values) => {
      const edited = await edit(values);
      if (!edited.ok) return [];
      const service = edited.inventory.services.find(({ name, namespace }) => `${name}.${namespace}` === reference(values));
      return service === undefined ? [] : [{ service }];
    },
    jobs: (values) => [
      {
        vms: listOf(values.vms),
        clusters: [textOf(values.cluster)],
        make: async (options) => (await app.session.mesh()).planRegister(reference(values), options),
      },
    ],
    facts: async (values) => {
      const domain = (await clustersOf(app)).find(({ name }) => name === textOf(values.cluster))?.clusterDomain ?? 'cluster.local';
      const hosts = hostsOf(values);
      const names = hosts.length > 0 ? hosts : [`${textOf(values.name)}.${textOf(values.namespace)}.svc.${domain}`];
      const callers = portRows(values).flatMap((row) => names.map((host) => `${host}:${row.port}`));
      const read = portRows(values).map((row) => `${row.name}:${row.port} ${protocolOf(row.name)}`);
      return {
        facts: [
          { label: t('forms.register.callers'), value: callers.join(', ') },
          { label: t('forms.register.protocol'), value: read.join(', ') },
        ],
      };
    },
    open: async () => undefined,
    save: async (values) => {
      const clusters = await clustersOf(app);
      await app.session.file.edit((text, room) => writeService(text, room, values, clusters));
    },
  };
}

function valuesOf(service: ServiceEntry): Values {
  const lines = (pairs: Readonly<Record<string, string>>) =>
    Object.entries(pairs)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n');
  return {
    name: service.name,
    cluster: service.cluster,
    namespace: service.namespace,
    ports: service.ports.map((port) => ({
      name: port.name,
      port: String(port.port),
      targetPort: port.targetPort === port.port ? '' : String(port.targetPort),
    })),
    vms: service.vms,
    serviceAccount: service.serviceAccount,
    labels: lines(service.labels),
    annotations: lines(service.annotations),
    hosts: (service.hosts ?? []).join(', '),
  };
}

/** Rows that hold something, with the names that istioctl would give. */
function portRows(values: Values): readonly { readonly name: string; readonly port: string; readonly targetPort: string }[] {
  return rowsOf(values.ports)
    .map((row) => ({ name: (row.name ?? '').trim(), port: (row.port ?? '').trim(), targetPort: (row.targetPort ?? '').trim() }))
    .filter((row) => row.name !== '' || row.port !== '')
    .map((row) => (row.name === '' ? { ...row, name: defaultNames[row.port] ?? row.port } : row));
}

/** Names other than the Service's own that callers use. */
function hostsOf(values: Values): readonly string[] {
  return textOf(values.hosts)
    .split(/[\s,]+/)
    .filter((host) => host !== '');
}

function protocolOf(name: string): string {
  const first = name.split('-')[0]?.toLowerCase() ?? '';
  return protocols.includes(first) ? first.toUpperCase() : 'TCP';
}

function writeService(text: string, room: MeshRoom, values: Values, clusters: readonly ClusterEntry[]): string {
  const name = textOf(values.name);
  const namespace = textOf(values.namespace);
  const cluster = textOf(values.cluster);
  const serviceAccount = textOf(values.serviceAccount);
  const pairs = (id: string) => {
    const read = readPairs(textOf(values[id])).pairs;
    return Object.keys(read).length === 0 ? undefined : read;
  };
  const fields = {
    cluster,
    ports: portRows(values).map((row) => ({
      name: row.name,
      port: Number(row.port),
      ...(row.targetPort === '' ? {} : { targetPort: Number(row.targetPort) }),
    })),
    vms: listOf(values.vms),
    serviceAccount: serviceAccount === '' || serviceAccount === 'default' ? undefined : serviceAccount,
    labels: pairs('labels'),
    annotations: pairs('annotations'),
    hosts: hostsOf(values).length === 0 ? undefined : hostsOf(values),
  };
  const started = withCluster(text, room, cluster, clusters);
  const known = room.readInventory(started);
  const exists = known.ok && known.parsed.inventory.services.some((service) => service.name === name && service.namespace === namespace);
  return exists ? room.updateService(started, name, namespace, fields) : room.addService(started, { name, namespace, ...fields });
}

function fieldOf(field: string): string {
  if (field.includes('.ports')) return 'ports';
  if (field.includes('.labels')) return 'labels';
  if (field.includes('.annotations')) return 'annotations';
  if (field.includes('.hosts')) return 'hosts';
  return field.startsWith('clusters') ? 'cluster' : lastKey(field) || 'name';
}
