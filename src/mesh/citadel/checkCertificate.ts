import type { Check, VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { CheckResult } from '../model.ts';
import type { CommandOutput } from '../ports.ts';
import { CERT_CHAIN, KEY } from './certificates.ts';
import { explainLog, logCommand, renewsIn } from './nodeAgentLog.ts';
import type { ReleaseFacts } from './releases.ts';
import { keyPairCommand, readKeyPair } from '../host/keyPair.ts';
import { failed, passed, timedOut, type Judgement } from '../host/verdicts.ts';

const CERTIFICATE = 'certificate';

/** The certificate on the VM: an expired one shows in no log of the VM (citadel facts 10). */
export function certificateCheck({ ports }: Pick<VmScope, 'ports'>): Check {
  return {
    id: CERTIFICATE,
    command: keyPairCommand(CERT_CHAIN, KEY),
    judge: async (output) => judgeCertificate(output, ports.clock.now()),
  };
}

export function judgeCertificate(output: CommandOutput, now: Date): Judgement {
  if (output.timedOut) return timedOut();
  const { leaf, key } = readKeyPair(output);
  const next = message('citadel.check.certificate.next');
  if (leaf === undefined) return failed(message('citadel.check.certificate.unreadable', { path: CERT_CHAIN }), undefined, next);
  const end = Date.parse(leaf.validTo);
  const time = new Date(end).toISOString();
  if (end <= now.getTime())
    return failed(message('citadel.check.certificate.expired', { time }), message('citadel.check.certificate.expired.why'), next);
  if (key === 'other' || key === 'unreadable')
    return failed(message(`citadel.check.certificate.key-${key}`, { path: KEY }), message('citadel.check.certificate.key.why'), next);
  return passed(message(key === 'fits' ? 'citadel.check.certificate.ok' : 'citadel.check.certificate.ok-unseen', { time }));
}

export function nodeAgentLogCheck(facts: ReleaseFacts): Check {
  return {
    id: 'node-agent',
    command: logCommand(facts.units.nodeAgent),
    judge: async (output, earlier) => judgeNodeAgentLog(output, earlier),
  };
}

export function judgeNodeAgentLog(output: CommandOutput, earlier: readonly CheckResult[]): Judgement {
  if (output.timedOut) return timedOut();
  const log = output.stdout;
  const renews = renewsIn(log);
  if (renews !== undefined) return passed(message('citadel.check.node-agent.ok', { time: renews }));
  const reason = explainLog(log);
  const expired = earlier.some(
    ({ id, verdict, reason: said }) => id === CERTIFICATE && verdict === 'fail' && said.id === 'citadel.check.certificate.expired',
  );
  if (reason?.perhapsExpired === true && expired)
    return failed(
      message('citadel.node-agent.expired'),
      message('citadel.check.certificate.expired.why'),
      message('citadel.node-agent.expired.next'),
    );
  if (reason !== undefined) return failed(message(`${reason.id}.reason`), message('citadel.check.node-agent.why'), reason.nextStep);
  if (/Starting Node Agent|Sending CSR/.test(log))
    return failed(message('citadel.check.node-agent.waiting'), undefined, message('citadel.check.node-agent.waiting.next'));
  return failed(message('citadel.check.node-agent.silent'), undefined, message('citadel.check.node-agent.silent.next'));
}
