import type { Check, VmScope } from '../era.ts';
import { curlCheck } from '../host/checkHttp.ts';
import { failed, noProgram, passed, timedOut, type Judgement } from '../host/verdicts.ts';
import { listAt, textAt } from '../cluster/untrusted.ts';
import { message } from '../messages.ts';
import type { CommandOutput } from '../ports.ts';
import { explainLog, logCommand } from './agentLog.ts';
import { minorOf, plainRelease } from './release.ts';
import { PACKAGE } from './sidecar.ts';

/** The agent and Envoy on the machine (istiod facts 2.5, 2.6). */

export function readyCheck(): Check {
  return curlCheck({
    id: 'ready',
    url: 'http://localhost:15021/healthz/ready',
    ok: () => message('istiod.check.ready.ok'),
    why: message('istiod.check.ready.why'),
    next: message('istiod.check.ready.next'),
  });
}

export function agentLogCheck({ vm }: VmScope): Check {
  return { id: 'agent-log', command: logCommand, judge: async (output) => judgeAgentLog(vm.name, output) };
}

export function judgeAgentLog(vm: string, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const log = output.stdout;
  const cause = explainLog(log);
  if (cause !== undefined) return failed(message(cause.id, { ...cause.args, vm }), message('istiod.check.agent-log.why'), cause.next);
  const connected = log.split('\n').findLast((line) => line.includes('connected to ') && line.includes('upstream XDS'));
  if (connected !== undefined) return passed(message('istiod.check.agent-log.ok', { time: connected.split(/\s/)[0] ?? '' }));
  if (log.trim() === '') return failed(message('istiod.check.agent-log.silent'), undefined, message('istiod.check.agent-log.silent.next'));
  return failed(message('istiod.check.agent-log.waiting'), undefined, message('istiod.check.ready.next'));
}

/** Envoy's own word on what it was sent: connection, rejections, and why. */
export function listenersCheck(): Check {
  const stats = String.raw`http://localhost:15000/stats?filter=^(control_plane\.connected_state|listener_manager\.lds\.update_(success|rejected)|cluster_manager\.cds\.update_(success|rejected))$`;
  const dump = 'http://localhost:15000/config_dump?resource=dynamic_listeners&mask=name,error_state.details';
  return {
    id: 'listeners',
    command: { argv: ['curl', '-sS', '-f', '-g', '-m', '5', stats, dump], timeoutMs: 15_000 },
    judge: async (output) => judgeListeners(output),
  };
}

export function judgeListeners(output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  if (output.exitCode === 127) return noProgram('curl', 'curl');
  const json = output.stdout.indexOf('{');
  if (output.exitCode !== 0 || json < 0)
    return failed(
      message('istiod.check.listeners.no-envoy'),
      message('istiod.check.listeners.no-envoy.why'),
      message('istiod.check.ready.next'),
    );
  const stats = new Map(
    output.stdout
      .slice(0, json)
      .split('\n')
      .map((line): [string, number] => [line.split(':')[0] ?? '', Number(line.split(':')[1])]),
  );
  const listeners = listAt(parsed(output.stdout.slice(json)), 'configs');
  const rejected = listeners.flatMap((one) => {
    const details = textAt(one, 'error_state', 'details');
    return details === undefined ? [] : [{ name: textAt(one, 'name') ?? '', details }];
  });
  const [first] = rejected;
  const why = message('istiod.check.listeners.why');
  const next = message('istiod.check.listeners.next');
  if (first !== undefined)
    return failed(
      message('istiod.check.listeners.rejected', { count: rejected.length, name: first.name, text: first.details.slice(0, 300) }),
      why,
      next,
    );
  // A rejection is counted for ever: it counts here where nothing was taken since the start.
  const kind = (['listener_manager.lds', 'cluster_manager.cds'] as const).find(
    (one) => (stats.get(`${one}.update_rejected`) ?? 0) > 0 && (stats.get(`${one}.update_success`) ?? 0) === 0,
  );
  if (kind !== undefined) return failed(message('istiod.check.listeners.none', { kind }), why, next);
  if (listeners.length === 0)
    return failed(message('istiod.check.listeners.empty'), message('istiod.check.listeners.empty.why'), message('istiod.check.ready.next'));
  return passed(message('istiod.check.listeners.ok', { count: listeners.length }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function skewCheck({ controlPlane, state }: VmScope): Check {
  const argv =
    state?.facts?.os.packages === 'rpm'
      ? ['rpm', '-q', '--qf', '%{VERSION}\\n', '--', PACKAGE]
      : // A package that was removed keeps its settings, and its version in dpkg's list.
        ['dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}\\n', '--', PACKAGE];
  return { id: 'version', command: { argv }, judge: async (output) => judgeSkew(controlPlane.release, output) };
}

export function judgeSkew(release: string, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const version = plainRelease(output.stdout.trim().replace(/^(?:installed )?(?:\d+:)?/, '')) ?? '';
  if (output.exitCode !== 0 || version === '')
    return failed(message('istiod.check.version.none', { name: PACKAGE }), undefined, message('istiod.check.no-user.next'));
  const [[major, minor], [itsMajor, itsMinor]] = [minorOf(version), minorOf(release)];
  const ahead = major === itsMajor ? minor - itsMinor : major - itsMajor;
  const args = { version, release };
  if (ahead > 0) return failed(message('istiod.skew.ahead', args), undefined, message('istiod.check.version.ahead.next'));
  if (ahead < -1) return failed(message('istiod.skew.behind', args), undefined, message('istiod.check.version.behind.next', args));
  return passed(message('istiod.check.version.ok', args));
}
