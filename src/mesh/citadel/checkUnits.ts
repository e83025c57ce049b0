import type { Check } from '../era.ts';
import { message } from '../messages.ts';
import type { CommandOutput } from '../ports.ts';
import { failed, noProgram, passed, timedOut, type Judgement } from './verdicts.ts';

/** Programs of the sidecar package (citadel facts 4), in /usr/local/bin or, until 0.4, /usr/local/istio/bin. */
const programs = ['pilot-agent', 'envoy', 'node_agent'] as const;

export function processesCheck(): Check {
  return { id: 'processes', command: { argv: ['ps', '-eo', 'user:20,pid,args'] }, judge: async (output) => judgeProcesses(output) };
}

export function judgeProcesses(output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  if (output.exitCode === 127) return noProgram('ps', 'procps');
  const missing = programs.filter((name) => !new RegExp(`/usr/local/(istio/)?bin/${name}(\\s|$)`, 'm').test(output.stdout));
  if (missing.length === 0) return passed(message('citadel.check.processes.ok', { programs: programs.join(', ') }));
  return failed(
    message('citadel.check.processes.missing', { programs: missing.join(', ') }),
    message('citadel.check.processes.why'),
    message('citadel.check.processes.next'),
  );
}

/** State and enablement of a unit: the scripts enable none, so a reboot ends the mesh (facts 2, pain 24). */
export function unitCheck(unit: string): Check {
  return {
    id: `unit ${unit}`,
    command: { argv: ['systemctl', 'show', '-p', 'LoadState,ActiveState,SubState,UnitFileState,NRestarts', '--', unit] },
    judge: async (output) => judgeUnit(unit, output),
  };
}

export function judgeUnit(unit: string, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const values = new Map(
    output.stdout.split('\n').map((line): [string, string] => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1).trim()]),
  );
  const active = values.get('ActiveState') ?? '';
  const next = message('citadel.check.unit.next', { unit });
  if (output.exitCode !== 0 || active === '') return failed(message('citadel.check.unit.unknown', { unit }), undefined, next);
  if (values.get('LoadState') === 'not-found')
    return failed(message('citadel.check.unit.not-found', { unit }), undefined, message('citadel.check.unit.not-found.next'));
  const state = `${active} (${values.get('SubState') ?? ''})`;
  if (active !== 'active')
    return failed(
      message('citadel.check.unit.down', { unit, state }),
      message(active === 'activating' ? 'citadel.check.unit.loop' : 'citadel.check.unit.stopped'),
      next,
    );
  if (values.get('UnitFileState') !== 'enabled')
    return failed(
      message('citadel.check.unit.not-enabled', { unit }),
      message('citadel.check.unit.not-enabled.why'),
      message('citadel.check.unit.not-enabled.next', { unit }),
    );
  return passed(message('citadel.check.unit.ok', { unit, state }));
}
