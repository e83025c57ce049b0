import type { Check, VmScope } from '../era.ts';
import { keyPairCommand, readKeyPair } from '../host/keyPair.ts';
import { failed, passed, timedOut, type Judgement } from '../host/verdicts.ts';
import { listAt, numberAt, textAt } from '../cluster/untrusted.ts';
import { message, type Message } from '../messages.ts';
import type { CheckResult, VmEntry } from '../model.ts';
import { certificateFacts } from '../pem.ts';
import type { CommandOutput } from '../ports.ts';
import { CERT_CHAIN, KEY, TOKEN } from './paths.ts';

/** Certificate, token and clock: a token is for the first certificate, a certificate renews itself, and one that is over needs a token again (istiod facts 0.4, 2.4). */

const CERTIFICATE = 'certificate';
const CLOCK_SECONDS = 60;
const AUDIENCE = 'istio-ca';

const renew = (vm: VmEntry): Message => message('istiod.check.renew.next', { vm: vm.name });

export function certificateCheck({ vm, ports }: VmScope): Check {
  return {
    id: CERTIFICATE,
    command: keyPairCommand(CERT_CHAIN, KEY),
    judge: async (output) => judgeCertificate(vm, output, ports.clock.now()),
  };
}

export function judgeCertificate(vm: VmEntry, output: CommandOutput, now: Date): Judgement {
  if (output.timedOut) return timedOut();
  const { leaf, key } = readKeyPair(output);
  if (leaf === undefined)
    return failed(message('istiod.check.certificate.none', { path: CERT_CHAIN }), message('istiod.check.certificate.none.why'), renew(vm));
  const facts = certificateFacts(leaf);
  const wanted = `/ns/${vm.namespace}/sa/${vm.serviceAccount}`;
  if (!facts.uris.some((uri) => uri.endsWith(wanted)))
    return failed(
      message('istiod.check.certificate.identity', { found: facts.uris.join(', '), wanted }),
      message('istiod.check.certificate.identity.why'),
      message('istiod.check.certificate.identity.next', { vm: vm.name }),
    );
  if (Date.parse(facts.notBefore) > now.getTime())
    return failed(message('istiod.check.certificate.early', { time: facts.notBefore }), undefined, message('istiod.check.clock.next'));
  if (Date.parse(facts.notAfter) <= now.getTime())
    return failed(
      message('istiod.check.certificate.expired', { time: facts.notAfter }),
      message('istiod.check.certificate.expired.why'),
      renew(vm),
    );
  if (key === 'other' || key === 'unreadable')
    return failed(
      message(`istiod.check.certificate.key-${key}`, { path: KEY }),
      message('istiod.check.certificate.key.why'),
      message('istiod.check.certificate.key.next', { vm: vm.name }),
    );
  const args = { time: facts.notAfter, identity: facts.uris[0] ?? '' };
  return passed(message(key === 'fits' ? 'istiod.check.certificate.ok' : 'istiod.check.certificate.ok-unseen', args));
}

/** Only what the token claims is printed, never the token. */
export function tokenCheck({ vm, ports }: VmScope): Check {
  return {
    id: 'token',
    command: { argv: ['sh', '-c', 'cut -d. -f2 -- "$1" | tr _- /+ | base64 -d 2>/dev/null; echo', 'sh', TOKEN], asRoot: true },
    judge: async (output, earlier) => judgeToken(vm, output, earlier, ports.clock.now()),
  };
}

export function judgeToken(vm: VmEntry, output: CommandOutput, earlier: readonly CheckResult[], now: Date): Judgement {
  if (output.timedOut) return timedOut();
  const claims = parsed(output.stdout);
  const expires = numberAt(claims, 'exp');
  const time = expires === undefined ? undefined : new Date(expires * 1000);
  const certified = earlier.some(({ id, verdict }) => id === CERTIFICATE && verdict === 'ok');
  const alive = time !== undefined && time.getTime() > now.getTime();
  if (!alive && certified) return passed(message('istiod.check.token.not-needed'));
  if (time === undefined)
    return failed(message('istiod.check.token.none', { path: TOKEN }), message('istiod.check.token.none.why'), renew(vm));
  const at = time.toISOString();
  if (!alive) return failed(message('istiod.check.token.expired', { time: at }), message('istiod.check.token.expired.why'), renew(vm));
  const subject = textAt(claims, 'sub') ?? '';
  const audience = listAt(claims, 'aud').includes(AUDIENCE) || textAt(claims, 'aud') === AUDIENCE;
  if (subject !== `system:serviceaccount:${vm.namespace}:${vm.serviceAccount}` || !audience)
    return failed(message('istiod.check.token.other', { subject }), message('istiod.check.certificate.identity.why'), renew(vm));
  return passed(message('istiod.check.token.ok', { time: at, subject }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.trim());
  } catch {
    return undefined;
  }
}

/** The machine's clock against this side's: certificates and tokens are judged by it. */
export function clockCheck({ ports }: VmScope): Check {
  return {
    id: 'clock',
    command: { argv: ['date', '-u', '+%Y-%m-%dT%H:%M:%SZ'] },
    judge: async (output) => judgeClock(output, ports.clock.now()),
  };
}

export function judgeClock(output: CommandOutput, now: Date): Judgement {
  if (output.timedOut) return timedOut();
  const there = Date.parse(output.stdout.trim());
  if (Number.isNaN(there)) return failed(message('istiod.check.clock.unreadable'), undefined, message('istiod.check.clock.next'));
  const seconds = Math.round((there - now.getTime()) / 1000);
  if (Math.abs(seconds) > CLOCK_SECONDS + Math.ceil(output.durationMs / 1000))
    return failed(message('istiod.check.clock.off', { seconds }), message('istiod.check.clock.why'), message('istiod.check.clock.next'));
  return passed(message('istiod.check.clock.ok', { seconds }));
}
