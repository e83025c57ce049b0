import type { Check } from '../era.ts';
import { failed, passed, timedOut, type Judgement } from '../host/verdicts.ts';
import { message } from '../messages.ts';
import type { CommandOutput, HostCommand } from '../ports.ts';

/** The rules that lead connections to Envoy: in one of two kinds of tables, and only one tool shows each (recipes, istiod). */

const rules: HostCommand = {
  argv: ['sh', '-c', 'for kind in legacy nft; do echo "# $kind"; "iptables-$kind-save" -t nat; done; nft list tables 2>/dev/null; :'],
  asRoot: true,
};

export function captureCheck(): Check {
  return { id: 'capture', command: rules, judge: async (output) => judgeCapture(output) };
}

export function judgeCapture(output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const kinds = ['legacy', 'nft'].filter((kind) => /^-A ISTIO_(IN_)?REDIRECT .*--to-ports 150\d\d/m.test(tablesOf(output.stdout, kind)));
  const native = /^table \S+ istio-proxy/m.test(output.stdout);
  if (kinds.length === 0 && !native)
    return failed(message('istiod.check.capture.none'), message('istiod.check.capture.none.why'), message('istiod.check.capture.next'));
  if (kinds.length > 1)
    return failed(
      message('istiod.check.capture.twice'),
      message('istiod.check.capture.twice.why'),
      message('istiod.check.capture.twice.next'),
    );
  return passed(message('istiod.check.capture.ok', { kind: kinds[0] ?? 'nftables' }));
}

function tablesOf(text: string, kind: string): string {
  return text.split(/^# (?=(?:legacy|nft)$)/m).find((part) => part.startsWith(`${kind}\n`)) ?? '';
}

export function sshCheck(): Check {
  return { id: 'ssh-port', command: rules, judge: async (output) => judgeSsh(output) };
}

/** Rules are asked in their order: what returns port 22 must stand before what takes it. */
export function judgeSsh(output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const inbound = output.stdout.split('\n').filter((line) => line.startsWith('-A ISTIO_INBOUND '));
  const deciding = inbound.find((line) => /-j (RETURN|ISTIO_IN_REDIRECT)$/.test(line) && covers(line));
  if (deciding?.endsWith('ISTIO_IN_REDIRECT') === true)
    return failed(message('istiod.check.ssh.captured'), message('istiod.check.ssh.why'), message('istiod.check.ssh.next'));
  return passed(message('istiod.check.ssh.ok'));
}

function covers(line: string): boolean {
  const port = /--dports? (\S+)/.exec(line)?.[1];
  if (port === undefined) return !/ -s | -d | -i /.test(line);
  return port.split(',').some((one) => {
    const [from = 0, to = from] = one.split(':').map(Number);
    return from <= 22 && 22 <= to;
  });
}
