import { failed, ok, type CommandResult } from './command.ts';
import { cat } from './fileCommands.ts';
import type { Machine } from './machine.ts';
import { openssl } from './openssl.ts';
import { nameserversOf } from './resolver.ts';
import { claimsText } from './tokenFacts.ts';

/** There is no shell: the few lines that checks hand to one are known by what they do. */
export function shell(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const [flag = '', line = '', ...words] = args;
  if (flag === '-c' && line.includes('/dev/tcp/')) return connects(machine, words[0] ?? '', Number(words[1]));
  if (flag === '-c' && line.includes('cut -d. -f2')) return claims(machine, words[1] ?? '', asRoot);
  if (flag === '-c' && line.includes('openssl pkey')) return keyPair(machine, words.slice(1), asRoot);
  if (flag === '-c' && line.includes('dport 53')) return names(machine);
  if (flag === '-c' && line.includes('-save')) return rules(machine);
  return failed(127, 'sh: the playground has no shell\n');
}

/** A bare connection, as bash makes it. */
function connects(machine: Machine, host: string, port: number): CommandResult {
  const found = /^[\d.]+$/.test(host) ? host : machine.lookUp(host);
  const address = typeof found === 'string' ? found : found.kind === 'address' ? found.address : undefined;
  if (address === undefined)
    return failed(1, `bash: ${host}: Name or service not known\nbash: /dev/tcp/${host}/${port}: Invalid argument\n`);
  const end = machine.sidecar.dials(address, port, host);
  if (end === 'timeout') return { ...failed(124, ''), takesMs: 5000 };
  return end === 'refused' ? failed(1, `bash: connect: Connection refused\nbash: /dev/tcp/${host}/${port}: Connection refused\n`) : ok('');
}

function claims(machine: Machine, path: string, asRoot: boolean): CommandResult {
  const entry = machine.files.get(path);
  if (entry === undefined) return { ...ok('\n'), stderr: `cut: ${path}: No such file or directory\n` };
  if (!asRoot && (entry.mode & 0o004) === 0) return { ...ok('\n'), stderr: `cut: ${path}: Permission denied\n` };
  return ok(`${claimsText(Buffer.from(entry.bytes).toString('utf8')) ?? ''}\n`);
}

/** A certificate, then the public half of its key. */
function keyPair(machine: Machine, [chain = '', key = '']: readonly string[], asRoot: boolean): CommandResult {
  const shown = cat(machine, ['--', chain], asRoot);
  const own = openssl(machine, ['pkey', '-in', key, '-pubout'], asRoot);
  return { ...own, stdout: shown.stdout + own.stdout, stderr: shown.stderr + own.stderr };
}

function rules(machine: Machine): CommandResult {
  if (!machine.has('iptables-legacy-save')) return { ...ok('# legacy\n# nft\n'), stderr: 'sh: 1: iptables-legacy-save: not found\n' };
  return ok(`# legacy\n${captureRules(machine)}# nft\n`);
}

/** Whom the machine asks for names, and the rules that lead what it asks to the agent. */
function names(machine: Machine): CommandResult {
  const asked = nameserversOf(machine.files).map((server) => `nameserver ${server}\n`);
  return ok(`${asked.join('')}hosts: files dns\n${captureRules(machine).replace(/^(?!.*dport 53 ).*\n/gm, '')}`);
}

/** The sidecar's rules, in the legacy tables (recipes, istiod); empty where it does not run. */
export function captureRules(machine: Machine): string {
  const { active, dns } = machine.sidecar.captures(machine);
  if (!active) return '';
  const servers = dns === true ? nameserversOf(machine.files) : [];
  const lines = [
    ...['ISTIO_INBOUND', 'ISTIO_IN_REDIRECT', 'ISTIO_OUTPUT', 'ISTIO_REDIRECT'].map((chain) => `:${chain} - [0:0]`),
    '-A PREROUTING -p tcp -j ISTIO_INBOUND',
    '-A OUTPUT -j ISTIO_OUTPUT',
    '-A ISTIO_INBOUND -p tcp -m tcp --dport 22 -j RETURN',
    '-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT',
    '-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006',
    '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001',
    ...servers.map((server) => `-A ISTIO_OUTPUT_DNS -d ${server}/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053`),
  ];
  return `*nat\n${lines.join('\n')}\nCOMMIT\n`;
}
