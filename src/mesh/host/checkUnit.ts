import type { Check } from '../era.ts';
import { message } from '../messages.ts';
import type { CommandOutput } from '../ports.ts';
import { failed, passed, timedOut, type Judgement } from './verdicts.ts';

/** State and enablement of a unit: neither era's own scripts enable any, so a reboot ends the mesh (citadel facts 2, pain 24; istiod facts 2.1). */
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
  const next = message('check.unit.next', { unit });
  if (output.exitCode !== 0 || active === '') return failed(message('check.unit.unknown', { unit }), undefined, next);
  if (values.get('LoadState') === 'not-found')
    return failed(message('check.unit.not-found', { unit }), undefined, message('check.unit.not-found.next'));
  const state = `${active} (${values.get('SubState') ?? ''})`;
  if (active !== 'active')
    return failed(
      message('check.unit.down', { unit, state }),
      message(active === 'activating' ? 'check.unit.loop' : 'check.unit.stopped'),
      next,
    );
  if (values.get('UnitFileState') !== 'enabled')
    return failed(
      message('check.unit.not-enabled', { unit }),
      message('check.unit.not-enabled.why'),
      message('check.unit.not-enabled.next', { unit }),
    );
  return passed(message('check.unit.ok', { unit, state }));
}
