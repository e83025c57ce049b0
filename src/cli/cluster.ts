import { InvalidArgumentError, Option } from 'commander';
import { findCluster } from '../mesh/lookup.ts';
import { message } from '../mesh/messages.ts';
import { providers, type ControlPlane, type LoadBalancer } from '../mesh/model.ts';
import { attempt } from './attempt.ts';
import { exitCodes } from './exitCode.ts';
import type { Texts } from './language.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, type CommonOptions } from './options.ts';
import type { TargetResult } from './output.ts';
import { groupLines } from './group.ts';
import { entryJson } from './membership.ts';
import type { Session } from './session.ts';
import { setUp, type SetupCommandOptions } from './setUp.ts';
import { onlyOne } from './usage.ts';

interface ClusterOptions extends CommonOptions {
  readonly cluster: string;
}

/** `cluster setup | status --cluster NAME` */
export const clusterCommand: AddCommand = (program, act) => {
  const { texts } = act;
  const cluster = program.command('cluster').description(texts(message('cli.help.cluster')));
  const setup = cluster
    .command('setup')
    .description(texts(message('cli.help.cluster-setup')))
    .requiredOption('--cluster <name>', texts(message('cli.option.cluster')), onlyOne(texts))
    .addOption(new Option('--provider <name>', texts(message('cli.option.provider'))).choices(providers))
    .option('--manifest <file>', texts(message('cli.option.manifest')))
    .option('--wait <seconds>', texts(message('cli.option.wait')), (value) => seconds(value, texts));
  addChangeOptions(addCommonOptions(setup, texts), texts).action(act.run<SetupCommandOptions>('cluster setup', true, setUp));
  const status = cluster
    .command('status')
    .description(texts(message('cli.help.cluster-status')))
    .requiredOption('--cluster <name>', texts(message('cli.option.cluster')), onlyOne(texts));
  addCommonOptions(status, texts).action(
    act.run<ClusterOptions>('cluster status', false, async (session, { cluster: name }) => {
      findCluster(session.inventory, name);
      return [await attempt(session.output, { cluster: name }, () => statusOf(session, name))];
    }),
  );
};

async function statusOf({ mesh, output, signal }: Session, cluster: string): Promise<TargetResult> {
  const { controlPlane, loadBalancers: balancers, services, unmanaged, workloadGroups: groups } = await mesh.overview(cluster, { signal });
  output.result(`${cluster}: Istio ${controlPlane.release}`);
  controlPlaneLines(controlPlane, output.texts).forEach((line) => output.result(`  ${line}`));
  balancers.forEach((balancer) => output.result(`  ${balancerLine(balancer)}`));
  for (const { ref, clusterIp, endpoints } of services) {
    output.result(
      `  ${ref.namespace ?? ''}/${ref.name} ${clusterIp ?? ''} -> ${endpoints.map(({ vm, address, ports }) => `${vm ?? address}:${ports.join(',')}`).join(' ') || '-'}`,
    );
  }
  groups?.flatMap((facts) => groupLines(facts, output.texts)).forEach((line) => output.result(`  ${line}`));
  unmanaged.forEach(({ address, services: known }) =>
    output.result(`  ${output.texts(message('cli.unmanaged', { address, services: known.join(', ') }))}`),
  );
  const { details = [], limits = [] } = controlPlane;
  const ready =
    balancers.every(({ state }) => state === 'ready' || state === 'hostname') &&
    !details.some(({ attention }) => attention === true) &&
    !limits.some(({ blocking }) => blocking);
  return {
    cluster,
    ok: ready,
    changed: false,
    code: ready ? exitCodes.fine : exitCodes.check,
    controlPlane: {
      ...controlPlane,
      details: details.map((detail) => ({ ...detail, label: output.texts(detail.label) })),
      limits: limits.map((limit) => ({
        ...limit,
        text: output.texts(limit.text),
        nextStep: limit.nextStep && output.texts(limit.nextStep),
      })),
    },
    loadBalancers: balancers,
    services,
    unmanaged,
    groups: groups?.map(({ group, entries }) => ({ ...group, entries: entries.map(entryJson) })),
  };
}

/** What was found, and what of this cluster is not served. A `!` marks what is missing or wrong, or keeps VMs out. */
function controlPlaneLines({ details = [], limits = [] }: ControlPlane, texts: Texts): readonly string[] {
  return [
    ...details.map(
      ({ label, value, attention }) => `${attention === true ? '! ' : ''}${texts(message('cli.detail', { label: texts(label), value }))}`,
    ),
    ...limits.flatMap(({ text, nextStep, blocking }) => [
      `${blocking ? '! ' : ''}${texts(text)}`,
      ...(nextStep === undefined ? [] : [`  ${texts(message('cli.next', { text: texts(nextStep) }))}`]),
    ]),
  ];
}

function balancerLine({ ref, state, address, ports, events }: LoadBalancer): string {
  const [newest] = events;
  const shown = [`${ref.namespace ?? ''}/${ref.name}`, address ?? state, ...ports.map(({ port, protocol }) => `${port}/${protocol}`)];
  return `${shown.join(' ')}${newest === undefined || state === 'ready' ? '' : ` (${newest.reason}: ${newest.text})`}`;
}

function seconds(value: string, texts: Texts): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 86_400) throw new InvalidArgumentError(texts(message('cli.option.wait.invalid')));
  return number;
}
