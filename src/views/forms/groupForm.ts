import type { App, FormRequest } from '../../editor/app.ts';
import { MeshError } from '../../mesh/errors.ts';
import { message } from '../../mesh/messages.ts';
import { clustersOf, firstCluster } from './clusterField.ts';
import { clusterKnowledge } from './clusterKnowledge.ts';
import type { FormDefinition } from './definition.ts';
import { groupFields } from './groupFields.ts';
import { emptyGroup, groupOfValues, problemsOfGroup, valuesOfGroup } from './groupValues.ts';
import { textOf, type Values } from './protocol.ts';

type GroupRequest = Extract<FormRequest, { kind: 'group' }>;

/** Workload Group: the template that VMs of one kind are made from. What an edited one has beyond the fields stays as it is: the core merges. */
export function groupForm(app: App, request: GroupRequest): FormDefinition {
  const { t } = app.texts;
  const isNew = request.group === undefined;
  const clusters = clusterKnowledge(app);
  const heading = isNew ? t('editor.command.newWorkloadGroup') : t('forms.group.edit', { group: request.group });

  const problemsOf = (values: Values) => {
    const problems = problemsOfGroup(values, app.texts);
    const cluster = textOf(values.cluster);
    const { value, error, loading } = clusters.of(cluster);
    if (cluster === '') return problems;
    if (value === undefined) {
      const reason = error === undefined ? (loading ? t('forms.cluster.reading') : undefined) : app.texts.say(error.userMessage);
      return reason === undefined ? problems : { cluster: reason, ...problems };
    }
    if (value.workloadGroups === undefined) return { cluster: t('editor.workloadGroup.notServed', { cluster }), ...problems };
    const taken =
      isNew && value.workloadGroups.some(({ group }) => group.name === textOf(values.name) && group.namespace === textOf(values.namespace));
    return taken ? { ...problems, name: t('forms.group.rule.taken') } : problems;
  };

  return {
    kind: 'group',
    subject: isNew ? undefined : `${request.cluster ?? ''}/${request.group}`,
    title: heading,
    canSaveDraft: false,
    requested: request.cluster === undefined ? {} : { cluster: request.cluster },
    listen: clusters.listen,
    initial: async () => {
      const cluster = await firstCluster(app, request.cluster);
      if (request.group === undefined) return emptyGroup(cluster);
      const groups = await (await app.session.mesh()).workloadGroups(cluster);
      const found = groups?.find(({ group }) => `${group.namespace}/${group.name}` === request.group);
      if (found === undefined) throw gone(request.group);
      return valuesOfGroup(cluster, found.group);
    },
    describe: async (values) => {
      const known = await clustersOf(app);
      const problems = problemsOf(values);
      return {
        heading,
        intro: t('forms.group.intro'),
        fields: groupFields(app, known, values, isNew),
        problems,
        submitLabel: t(isNew ? 'forms.group.create' : 'forms.group.save'),
      };
    },
    drafts: async () => [],
    jobs: (values) => [
      {
        vms: [],
        clusters: [textOf(values.cluster)],
        make: async (options) => (await app.session.mesh()).planWorkloadGroup(textOf(values.cluster), groupOfValues(values), options),
      },
    ],
    open: async () => undefined,
    save: async () => undefined,
  };
}

function gone(group: string): MeshError {
  return new MeshError({
    code: 'group.gone',
    kind: 'bad-input',
    userMessage: message('forms.group.gone', { group }),
    nextStep: message('forms.group.gone.next'),
  });
}
