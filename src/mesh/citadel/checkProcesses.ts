import type { Check } from '../era.ts';
import { message } from '../messages.ts';
import type { CommandOutput } from '../ports.ts';
import { failed, noProgram, passed, timedOut, type Judgement } from '../host/verdicts.ts';

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
