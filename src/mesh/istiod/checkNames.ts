import type { Check, VmScope } from '../era.ts';
import { failed, passed, timedOut, type Judgement } from '../host/verdicts.ts';
import { message } from '../messages.ts';
import type { VmEntry } from '../model.ts';
import type { CommandOutput } from '../ports.ts';
import { nameLookup, NSSWITCH, RESOLV_CONF } from './nameLookup.ts';

/** Whether what programs ask for names reaches the agent: the servers that they ask now against those of the rules (istiod facts 2.5). */
export function namesCheck({ vm }: VmScope): Check {
  const script =
    'cat -- "$1"; grep "^hosts:" "$2"; for kind in iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft; do "$kind-save" -t nat; done | grep -e "--dport 53 "; nft list ruleset | grep "dport 53 "; :';
  return {
    id: 'dns',
    command: { argv: ['sh', '-c', script, 'sh', RESOLV_CONF, NSSWITCH], asRoot: true },
    judge: async (output) => judgeNames(vm, output),
  };
}

export function judgeNames({ captureDns }: Pick<VmEntry, 'captureDns'>, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const { servers, pastDns } = nameLookup(output.stdout, output.stdout);
  const rules = output.stdout.split('\n').filter((line) => / dport 53 | --dport 53 /.test(line) && line.includes('15053'));
  const captured = rules.map((rule) => / (?:-d|daddr) (?<server>[^\s/]+)/.exec(rule)?.groups?.server);
  const past = servers.filter((server) => !captured.includes(server) && !captured.includes(undefined));
  const args = { servers: servers.join(', '), past: past.join(', ') };
  const restart = message('istiod.check.dns.next');
  if (rules.length === 0 && captureDns === false) return passed(message('istiod.check.dns.off', args));
  if (servers.length === 0)
    return failed(
      message('istiod.check.dns.no-server'),
      message('istiod.check.dns.no-server.why'),
      message('istiod.check.dns.no-server.next'),
    );
  if (rules.length === 0) return failed(message('istiod.check.dns.none'), message('istiod.check.dns.none.why'), restart);
  if (past.length > 0) return failed(message('istiod.check.dns.past', args), message('istiod.check.dns.past.why'), restart);
  if (pastDns)
    return failed(message('istiod.check.dns.past-dns'), message('istiod.check.dns.past-dns.why'), message('lint.istiod.dns-past.next'));
  return passed(message('istiod.check.dns.ok', args));
}
