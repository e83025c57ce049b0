import { failed, ok, positionals, type CommandResult } from './command.ts';
import { curl } from './curl.ts';
import { cat, chown, cp, rm, sed, tail } from './fileCommands.ts';
import type { Machine } from './machine.ts';
import { openssl } from './openssl.ts';
import { processes, type Process } from './processes.ts';
import { nameserversOf } from './resolver.ts';
import { captureRules, shell } from './shellLines.ts';
import { journalctl, systemctl } from './unitCommands.ts';

type Program = (machine: Machine, args: readonly string[], asRoot: boolean) => CommandResult;

const SAVERS = [
  'iptables-save',
  'iptables-legacy-save',
  'iptables-nft-save',
  'ip6tables-save',
  'ip6tables-legacy-save',
  'ip6tables-nft-save',
];

const PROGRAMS: Readonly<Record<string, Program>> = {
  host,
  curl,
  ps,
  systemctl,
  journalctl,
  cat,
  openssl,
  getent,
  hostname,
  tail,
  env,
  runuser,
  date,
  timeout: (machine, [, ...argv], asRoot) => runCommand(machine, argv, asRoot),
  sh: shell,
  bash: shell,
  'dpkg-query': dpkgQuery,
  true: () => ok(''),
  cp,
  rm,
  sed,
  chown,
  'istio-start.sh': () => ok(''),
  ...Object.fromEntries(SAVERS.map((name) => [name, (machine: Machine) => savedRules(machine, name)])),
};

/** Runs one of the programs that the guide's checks use. There is no shell: any other program is not found. */
export function runCommand(machine: Machine, argv: readonly string[], asRoot: boolean): CommandResult {
  const [program = '', ...args] = argv;
  const name = program.replace(/^\/(usr\/(local\/)?)?s?bin\//, '');
  const run = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (!run || !machine.has(name))
    return failed(127, `${program}: command not found (the playground has: ${Object.keys(PROGRAMS).join(', ')})\n`);
  return run(machine, args, asRoot);
}

function host(machine: Machine, args: readonly string[]): CommandResult {
  const [name = '', server] = positionals(args, ['-t', '-W', '-R', '-c', '-N', '-m']);
  const found = machine.resolve(name);
  if (server !== undefined && !nameserversOf(machine.files).includes(server))
    return failed(1, '', ';; connection timed out; no servers could be reached\n');
  const shown = name.replace(/\.$/, '');
  if (found.kind === 'address') return ok(`${shown} has address ${found.address}\n`);
  if (found.kind === 'unknown') return failed(1, '', `Host ${shown} not found: 3(NXDOMAIN)\n`);
  return { ...failed(1, '', ';; connection timed out; no servers could be reached\n'), takesMs: 5000 };
}

/** The rules are in the legacy tables: `iptables-save` shows none and says so (recipes, istiod). */
function savedRules(machine: Machine, name: string): CommandResult {
  if (name === 'iptables-legacy-save') return ok(captureRules(machine));
  const elsewhere = name === 'iptables-save' && captureRules(machine) !== '';
  return ok(elsewhere ? '# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n' : '');
}

function hostname(machine: Machine, args: readonly string[]): CommandResult {
  if (args.some((arg) => ['-I', '--all-ip-addresses'].includes(arg))) return ok(`${machine.address} \n`);
  if (args.some((arg) => ['-i', '--ip-address'].includes(arg))) return ok('127.0.1.1\n');
  return ok(`${machine.name}\n`);
}

/** `env [-C DIR] [NAME=VALUE...] PROGRAM...` */
function env(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const rest = args[0] === '-C' ? args.slice(2) : args;
  return runCommand(machine, rest.slice(rest.findIndex((arg) => !arg.includes('='))), asRoot);
}

/** `runuser -u USER -- PROGRAM...`; like root's, nothing of the agent's own user is captured. */
function runuser(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const user = args[args.indexOf('-u') + 1] ?? '';
  if (!asRoot) return failed(1, 'runuser: may not be used by non-root users\n');
  if (!machine.users.has(user))
    return failed(1, `runuser: user ${user} does not exist or the user entry does not contain all the required fields\n`);
  return runCommand(machine, args.slice(args.indexOf('--') + 1), user === 'istio-proxy');
}

/** `date -u +%Y-%m-%dT%H:%M:%SZ`, else seconds. */
function date({ clock }: Machine, args: readonly string[]): CommandResult {
  const iso = clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  return ok(args.some((arg) => arg.startsWith('+%Y')) ? `${iso}\n` : `${Math.floor(clock.now().getTime() / 1000)}\n`);
}

function dpkgQuery(machine: Machine, args: readonly string[]): CommandResult {
  const [name = ''] = positionals(args, ['-f', '--showformat']);
  const { version } = machine.packageState(name);
  if (version === undefined) return failed(1, `dpkg-query: no packages found matching ${name}\n`);
  const status = args[args.indexOf('-f') + 1]?.includes('${db:Status-Status}') === true ? 'installed ' : '';
  return ok(`${status}${version}\n`);
}

function getent(machine: Machine, args: readonly string[]): CommandResult {
  const [, name = ''] = positionals(args, []);
  const found = machine.lookUp(name);
  return found.kind === 'address' ? ok(`${found.address.padEnd(15)} ${name}\n`) : failed(2, '');
}

function ps(machine: Machine, args: readonly string[]): CommandResult {
  const format =
    args.find((_arg, index) => /^-?[A-Za-z]*o$/.test(args[index - 1] ?? '')) ??
    /^-?[A-Za-z]*o(\S*=\S*|[a-z]+,\S+)$/.exec(args.join(' '))?.[1];
  const named = args[args.indexOf('-C') + 1];
  const list = processes(machine).filter((entry) => !args.includes('-C') || (entry.args.split(' ')[0] ?? '').endsWith(`/${named ?? ''}`));
  if (format !== undefined) {
    const columns = format.split(',').map((column) => column.replace(/[=:].*$/, ''));
    const value = (entry: Process, column: string): string =>
      ({ user: entry.user, euser: entry.user, pid: String(entry.pid), comm: (entry.args.split(' ')[0] ?? '').split('/').at(-1) ?? '' })[
        column
      ] ?? entry.args;
    const header = format.includes('=') ? '' : `${columns.map((column) => column.toUpperCase()).join(' ')}\n`;
    return list.length === 0
      ? failed(1, '', header)
      : ok(`${header}${list.map((entry) => columns.map((column) => value(entry, column)).join(' ')).join('\n')}\n`);
  }
  const rows = list.map(
    (entry) =>
      `${(entry.user.length > 8 ? `${entry.user.slice(0, 7)}+` : entry.user).padEnd(8)} ${String(entry.pid).padStart(7)}  0.0  0.2  75392 16820 ?        Ssl  21:32   0:00 ${entry.args}`,
  );
  return ok(`USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n${rows.join('\n')}\n`);
}
