import type { VmScope } from '../era.ts';
import { fileOf } from '../host/hostState.ts';
import type { HostWork } from '../host/hostWork.ts';
import { leavePlan } from '../host/leave.ts';
import { wantedStep } from '../host/wantedStep.ts';
import { message } from '../messages.ts';
import type { Plan, Step } from '../plan.ts';
import type { CallOptions, HostState, VmHost } from '../ports.ts';
import { problem } from '../problem.ts';
import { commandLine } from '../shellWords.ts';
import { deleteEntryStep } from './explicitEntry.ts';
import { HOSTS } from './paths.ts';
import { HOSTS_KEPT, sidecarOf } from './sidecar.ts';

/** Leaving: everything that the guide's uninstall forgets (istiod facts 2.7). Entries that istiod made vanish by themselves; one that we made is deleted. */
export function planLeave(scope: VmScope, host: VmHost, options?: CallOptions): Promise<Plan> {
  const extras = {
    afterCapture: (work: HostWork) => [rulesStep(work), keepHostsStep(work)],
    afterOriginals: (work: HostWork) => [bringHostsStep(work)],
    beforeCreated: (work: HostWork) => [logsStep(work)],
    last: () => (scope.vm.autoRegister === false ? [deleteEntryStep(scope)] : []),
  };
  return leavePlan(scope, sidecarOf(scope), host, extras, options);
}

/** A rule of the sidecar: one that names its chains, or one for DNS outside of them, which the cleaner of 1.8 and 1.9 leaves behind. */
const OURS = /\bISTIO_|--to-ports 15053\b/;

/** The rules may be in either kind of tables, whichever iptables the machine prefers (recipes, istiod): all are looked at. */
const savers = ['iptables-save', 'iptables-legacy-save', 'iptables-nft-save', 'ip6tables-legacy-save', 'ip6tables-nft-save'] as const;

/** Looks whether the capture rules are really gone. Throws `istiod.rules-left` with the first that is not. */
function rulesStep(work: HostWork): Step {
  return {
    id: 'rules',
    title: message('istiod.leave.rules'),
    target: work.host.alias,
    readOnly: true,
    preview: async () => ({ needed: true, details: savers.map((name) => ({ kind: 'command', commandLine: commandLine([name], true) })) }),
    async run(options) {
      for (const name of savers) {
        const { stdout } = await work.host.run({ argv: [name], asRoot: true, timeoutMs: 20_000 }, options);
        const left = stdout.split('\n').find((line) => OURS.test(line));
        if (left !== undefined) throw problem('istiod.rules-left', { host: work.host.alias, rule: left.trim(), program: name });
      }
    },
  };
}

/** The original is from before the join: what others have written into the hosts file since is put aside, without our line, and comes back after it. */
function keepHostsStep(work: HostWork): Step {
  const pushed = work.manifest?.files.find(({ path }) => path === HOSTS);
  return wantedStep(work, {
    id: 'keep-hosts',
    title: message('istiod.leave.keep-hosts'),
    wanted: (state) => (pushed !== undefined && isLeft(state) && isChanged(state, pushed.sha256) ? state : undefined),
    details: () => [{ kind: 'file', verb: 'keep', path: HOSTS }],
    async run(_, options) {
      await asRoot(work, ['cp', '-p', '-T', '--', HOSTS, HOSTS_KEPT], options);
      for (const line of pushed?.ownLines ?? [])
        await asRoot(work, ['sed', '-i', '-e', String.raw`/^${escaped(line)}[[:blank:]]*$/d`, '--', HOSTS_KEPT], options);
    },
  });
}

function bringHostsStep(work: HostWork): Step {
  return wantedStep(work, {
    id: 'bring-hosts',
    title: message('istiod.leave.bring-hosts'),
    wanted: (state) => (fileOf(state, HOSTS_KEPT)?.exists === true ? state : undefined),
    details: () => [{ kind: 'file', verb: 'change', path: HOSTS }],
    async run(_, options) {
      await asRoot(work, ['cp', '-p', '-T', '--', HOSTS_KEPT, HOSTS], options);
      await asRoot(work, ['rm', '-f', '--', HOSTS_KEPT], options);
    },
  });
}

const LOGS = '/var/log/istio';

/**
 * The logs outlive their owner: nobody who gets its number later shall own them, and under another name they are in nobody's way: the agent of a
 * later join could not append to root's files, and would not start.
 */
function logsStep(work: HostWork): Step {
  const commands = [
    ['find', LOGS, '-maxdepth', '1', '-type', 'f', '-name', '*.log', '-exec', 'mv', '-f', '-T', '--', '{}', '{}.left', ';'],
    ['chown', '-R', '-h', 'root:root', '--', LOGS],
  ];
  return wantedStep(work, {
    id: 'logs',
    title: message('istiod.leave.logs'),
    wanted: (state) => state.manifest,
    details: () => commands.map((argv) => ({ kind: 'command', commandLine: commandLine(argv, true) })),
    async run(_, options) {
      for (const argv of commands) await work.host.run({ argv, asRoot: true, timeoutMs: 10_000 }, options);
    },
  });
}

/** Still in the manifest: the originals have not come back yet. */
function isLeft(state: HostState): boolean {
  return state.manifest?.files.some(({ path }) => path === HOSTS) === true;
}

function isChanged(state: HostState, pushed: string): boolean {
  const present = fileOf(state, HOSTS);
  return present?.exists === true && present.sha256 !== undefined && present.sha256 !== pushed;
}

function escaped(text: string): string {
  return text.replace(/[.[\]*^$\\/]/g, String.raw`\$&`);
}

/** Throws `istiod.leave-failed` where the machine says no. */
async function asRoot({ host }: HostWork, argv: readonly string[], options?: CallOptions): Promise<void> {
  const { exitCode, stderr } = await host.run({ argv, asRoot: true, timeoutMs: 20_000 }, options);
  if (exitCode !== 0) throw problem('istiod.leave-failed', { host: host.alias, command: commandLine(argv, true), text: stderr.trim() });
}
