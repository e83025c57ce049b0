import { curl } from './curl.ts';
import type { Machine } from './machine.ts';
import { openssl } from './openssl.ts';
import { processes, type Process } from './processes.ts';
import { nameserversOf } from './resolver.ts';

/** `takesMs`: how long the real program would take; the caller waits for it, or for its time limit. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly takesMs: number;
}

type Program = (machine: Machine, args: readonly string[], asRoot: boolean) => CommandResult;

const ok = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: '', takesMs: 0 });
const failed = (exitCode: number, stderr: string, stdout = ''): CommandResult => ({ exitCode, stdout, stderr, takesMs: 0 });

const PROGRAMS: Readonly<Record<string, Program>> = {
  host,
  curl,
  ps,
  systemctl,
  journalctl,
  cat,
  openssl,
  getent,
  hostname: (machine) => ok(`${machine.name}\n`),
};

/** Runs one of the programs that the guide's checks use. There is no shell: any other program is not found. */
export function runCommand(machine: Machine, argv: readonly string[], asRoot: boolean): CommandResult {
  const [program = '', ...args] = argv;
  const name = program.replace(/^\/(usr\/)?s?bin\//, '');
  const run = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (!run || !machine.has(name))
    return failed(127, `${program}: command not found (the playground has: ${Object.keys(PROGRAMS).join(', ')})\n`);
  return run(machine, args, asRoot);
}

function positionals(args: readonly string[], withValue: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (withValue.includes(arg)) index += 1;
    else if (!arg.startsWith('-')) found.push(arg);
  }
  return found;
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

function getent(machine: Machine, args: readonly string[]): CommandResult {
  const [, name = ''] = positionals(args, []);
  const found = machine.lookUp(name);
  return found.kind === 'address' ? ok(`${found.address.padEnd(15)} ${name}\n`) : failed(2, '');
}

function cat(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  let stdout = '';
  for (const path of positionals(args, [])) {
    const entry = machine.files.get(path);
    if (!entry) return failed(1, `cat: ${path}: No such file or directory\n`, stdout);
    if (!asRoot && (entry.mode & 0o004) === 0) return failed(1, `cat: ${path}: Permission denied\n`, stdout);
    stdout += Buffer.from(entry.bytes).toString('utf8');
  }
  return ok(stdout);
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

const unitName = (text: string): string => text.replace(/\.service$/, '');

function systemctl(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const [verb = '', ...units] = positionals(args, ['-p', '-n', '--property', '--lines']);
  const states = units.map((unit) => machine.unitState(unitName(unit)));
  if (verb === 'is-active')
    return {
      ...ok(`${states.map((unit) => unit.active).join('\n')}\n`),
      exitCode: states.every((unit) => unit.active === 'active') ? 0 : 3,
    };
  if (verb === 'is-enabled')
    return {
      ...ok(`${states.map((unit) => unit.enabled || 'not-found').join('\n')}\n`),
      exitCode: states.every((unit) => unit.enabled === 'enabled') ? 0 : 1,
    };
  if (verb === 'show') return ok(states.map(shown).join('\n'));
  if (verb === 'status') return status(machine, units.map(unitName));
  if (!['start', 'stop', 'restart', 'enable', 'disable'].includes(verb)) return failed(1, `Unknown command verb ${verb}.\n`);
  if (!asRoot) return failed(1, 'Failed: interactive authentication required.\n');
  for (const unit of units.map(unitName)) {
    if (machine.unitState(unit).load === 'not-found') return failed(5, `Unit ${unit}.service not found.\n`);
    if (verb === 'enable' || verb === 'disable') machine.enable(unit, verb === 'enable');
    if (verb === 'stop' || verb === 'restart') machine.stop(unit);
    if (verb === 'start' || verb === 'restart') machine.start(unit);
  }
  return ok('');
}

function shown(unit: ReturnType<Machine['unitState']>): string {
  return `Id=${unit.name}.service\nLoadState=${unit.load}\nActiveState=${unit.active}\nSubState=${unit.sub}\nUnitFileState=${unit.enabled}\nNRestarts=${unit.restarts}\nActiveEnterTimestamp=${unit.since ?? ''}\n`;
}

function status(machine: Machine, units: readonly string[]): CommandResult {
  let stdout = '';
  let exitCode = 0;
  for (const name of units) {
    const unit = machine.unitState(name);
    if (unit.load === 'not-found') return failed(4, `Unit ${name}.service could not be found.\n`, stdout);
    if (unit.active !== 'active') exitCode = 3;
    stdout += `● ${name}.service\n   Loaded: loaded (/lib/systemd/system/${name}.service; ${unit.enabled})\n   Active: ${unit.active} (${unit.sub})${unit.since === undefined ? '' : ` since ${unit.since}`}\n`;
    if (unit.active === 'active') stdout += ` Main PID: ${machine.pid(name)}\n`;
    stdout += `\n${machine.journal(name).join('\n')}\n`;
  }
  return { exitCode, stdout, stderr: '', takesMs: 0 };
}

function journalctl(machine: Machine, args: readonly string[]): CommandResult {
  const at = args.findIndex((arg) => arg === '-u' || arg === '--unit');
  const matched = args.find((arg) => /^(--unit|_SYSTEMD_UNIT)=/.test(arg)) ?? '';
  const unit = unitName(at >= 0 ? (args[at + 1] ?? '') : matched.slice(matched.indexOf('=') + 1));
  const lines = machine.journal(unit);
  if (lines.length === 0) return ok('-- No entries --\n');
  const bare = args.includes('cat') || args.includes('--output=cat');
  return ok(`${lines.map((line) => (bare ? line : `${machine.name} ${unit}[${machine.pid(unit)}]: ${line}`)).join('\n')}\n`);
}
