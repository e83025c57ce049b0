import { findCluster } from '../mesh/lookup.ts';
import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { WorkloadGroupFacts } from '../mesh/model.ts';
import { attempt } from './attempt.ts';
import { exitCodes } from './exitCode.ts';
import { parseWorkloadGroups } from './groupFile.ts';
import type { Texts } from './language.ts';
import type { AddCommand } from './main.ts';
import { entryJson, entryLine } from './membership.ts';
import { addChangeOptions, addCommonOptions, type CommonOptions } from './options.ts';
import type { TargetResult } from './output.ts';
import { changeTargets } from './planCommand.ts';
import { readGiven } from './rooms.ts';
import type { Session } from './session.ts';
import { onlyOne } from './usage.ts';

interface GroupOptions extends CommonOptions {
  readonly cluster: string;
}

interface ApplyOptions extends GroupOptions {
  readonly file: string;
}

/** `group apply --cluster NAME -f FILE`, `group list --cluster NAME` */
export const groupCommand: AddCommand = (program, act) => {
  const { texts } = act;
  const group = program.command('group').description(texts(message('cli.help.group')));
  const apply = group
    .command('apply')
    .description(texts(message('cli.help.group-apply')))
    .requiredOption('--cluster <name>', texts(message('cli.option.cluster')), onlyOne(texts))
    .requiredOption('-f, --file <file>', texts(message('cli.option.group-file')));
  addChangeOptions(addCommonOptions(apply, texts), texts).action(act.run<ApplyOptions>('group apply', true, applyGroups));
  const list = group
    .command('list')
    .description(texts(message('cli.help.group-list')))
    .requiredOption('--cluster <name>', texts(message('cli.option.cluster')), onlyOne(texts));
  addCommonOptions(list, texts).action(
    act.run<GroupOptions>('group list', false, async (session, { cluster }) => {
      findCluster(session.inventory, cluster);
      return [await attempt(session.output, { cluster }, () => listGroups(session, cluster))];
    }),
  );
};

async function applyGroups(session: Session, { cluster, file }: ApplyOptions): Promise<readonly TargetResult[]> {
  const { mesh, inventory, signal } = session;
  findCluster(inventory, cluster);
  const groups = parseWorkloadGroups(await readGiven(file), file);
  return changeTargets(
    session,
    groups.map((group) => ({
      kind: 'group',
      name: `${group.namespace}/${group.name}`,
      plan: () => mesh.planWorkloadGroup(cluster, group, { signal }),
    })),
  );
}

async function listGroups({ mesh, output, signal }: Session, cluster: string): Promise<TargetResult> {
  const groups = await mesh.workloadGroups(cluster, { signal });
  if (groups === undefined) {
    const { release } = await mesh.controlPlane(cluster, { signal });
    throw new MeshError({
      code: 'era.no-groups',
      kind: 'bad-input',
      userMessage: message('era.no-groups', { cluster, release }),
      nextStep: message('era.no-groups.next'),
    });
  }
  groups.flatMap((facts) => groupLines(facts, output.texts)).forEach((line) => output.result(line));
  if (groups.length === 0) output.say(message('cli.group.empty', { cluster }));
  return {
    cluster,
    ok: true,
    changed: false,
    code: exitCodes.fine,
    groups: groups.map(({ group, entries }) => ({ ...group, entries: entries.map(entryJson) })),
  };
}

/** A group, and below it each of its entries; also what cluster status shows. */
export function groupLines({ group, entries }: WorkloadGroupFacts, texts: Texts): readonly string[] {
  const ports = Object.entries(group.ports).map(([name, port]) => `${name}:${port}`);
  return [
    `${group.namespace}/${group.name} ${texts(message('cli.group.account', { account: group.serviceAccount }))}${ports.length === 0 ? '' : ` ${ports.join(',')}`}`,
    ...entries.map((entry) => `  ${entryLine(entry, texts)}`),
  ];
}
