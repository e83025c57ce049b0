import { failed, ok, positionals, type CommandResult } from './command.ts';
import type { Machine } from './machine.ts';

const unitName = (text: string): string => text.replace(/\.service$/, '');

export function systemctl(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
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
  if (verb === 'reboot' && asRoot) {
    machine.reboot();
    return ok('');
  }
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

export function journalctl(machine: Machine, args: readonly string[]): CommandResult {
  const at = args.findIndex((arg) => arg === '-u' || arg === '--unit');
  const matched = args.find((arg) => /^(--unit|_SYSTEMD_UNIT)=/.test(arg)) ?? '';
  const unit = unitName(at >= 0 ? (args[at + 1] ?? '') : matched.slice(matched.indexOf('=') + 1));
  const lines = machine.journal(unit);
  if (lines.length === 0) return ok('-- No entries --\n');
  const bare = args.includes('cat') || args.includes('--output=cat');
  return ok(`${lines.map((line) => (bare ? line : `${machine.name} ${unit}[${machine.pid(unit)}]: ${line}`)).join('\n')}\n`);
}
