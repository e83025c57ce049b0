import type { Check } from '../era.ts';
import { failed, noProgram, passed, timedOut, type Judgement } from '../host/verdicts.ts';
import { message, type Message } from '../messages.ts';
import type { CommandOutput } from '../ports.ts';
import { ISTIOD_PORT, OWNER, ROOT_CERT } from './paths.ts';

/** The way to istiod: its name, its port, its certificate (istiod facts 2.6, 5). */

export interface IstiodPlace {
  /** The name that the agent calls, which is in istiod's certificate. */
  readonly name: string;
  /** Address of the gateway; undefined where it is not known, or a name of its own. */
  readonly address: string | undefined;
  readonly gateway: string;
  /** Where the name is the gateway's host name: what gives istiod's certificate that name, as a command line. */
  readonly certify?: string | undefined;
}

/** As the agent's own user: everybody else's connections are captured and end at Envoy, which accepts all of them. */
const asAgent = ['runuser', '-u', OWNER, '--'] as const;

const next = (id: string, args?: Message['args']): Message => message(`istiod.check.${id}.next`, args);

export function nameCheck(place: IstiodPlace): Check {
  return { id: 'istiod-name', command: { argv: ['getent', 'hosts', place.name] }, judge: async (output) => judgeName(place, output) };
}

export function judgeName({ name, address, gateway, certify }: IstiodPlace, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  const found = output.stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((one) => one !== '');
  const why = message('istiod.check.name.why');
  if (found.length === 0 && certify !== undefined)
    return failed(
      message('istiod.check.name.unknown', { name }),
      message('istiod.check.name.dns.why', { gateway }),
      next('name.dns', { name }),
    );
  if (found.length === 0) return failed(message('istiod.check.name.unknown', { name }), why, next('name', { name }));
  if (address !== undefined && !found.includes(address))
    return failed(message('istiod.check.name.other', { name, found: found.join(', '), address, gateway }), why, next('name', { name }));
  return passed(message('istiod.check.name.ok', { name, address: found.join(', ') }));
}

export function tcpCheck({ name }: IstiodPlace): Check {
  return {
    id: 'istiod-tcp',
    command: {
      argv: [...asAgent, 'timeout', '5', 'bash', '-c', 'exec 3<>"/dev/tcp/$0/$1"', name, String(ISTIOD_PORT)],
      asRoot: true,
      timeoutMs: 15_000,
    },
    judge: async (output) => judgeTcp(name, output),
  };
}

export function judgeTcp(name: string, { exitCode, stderr, timedOut: late }: CommandOutput): Judgement {
  const at = `${name}:${ISTIOD_PORT}`;
  if (exitCode === 0) return passed(message('istiod.check.tcp.ok', { at }));
  const noUser = withoutUser(stderr);
  if (noUser !== undefined) return noUser;
  if (late || exitCode === 124)
    return failed(message('istiod.check.tcp.silent', { at }), message('istiod.check.tcp.silent.why'), next('tcp'));
  if (/Name or service not known|Temporary failure in name resolution|No address associated/.test(stderr))
    return failed(message('istiod.check.name.unknown', { name }), message('istiod.check.name.why'), next('name', { name }));
  if (stderr.includes('Connection refused'))
    return failed(message('istiod.check.tcp.refused', { at }), message('istiod.check.tcp.refused.why'), next('tcp.refused'));
  return failed(message('istiod.check.tcp.failed', { at, text: lastLine(stderr) }), undefined, next('tcp'));
}

export function tlsCheck({ name, certify }: IstiodPlace): Check {
  return {
    id: 'istiod-tls',
    command: {
      argv: [
        ...asAgent,
        ...['curl', '-sS', '-m', '8', '-o', '/dev/null', '-w', '%{remote_ip} %{http_code}\\n'],
        ...['--cacert', ROOT_CERT, `https://${name}:${ISTIOD_PORT}/`],
      ],
      asRoot: true,
      timeoutMs: 20_000,
    },
    judge: async (output) => judgeTls(name, output, certify),
  };
}

/** istiod answers a plain GET with an error of HTTP (415): that is as far as this asks. `certify`: as of IstiodPlace. */
export function judgeTls(name: string, output: CommandOutput, certify?: string): Judgement {
  const { exitCode, stderr } = output;
  if (output.timedOut) return timedOut();
  const noUser = withoutUser(stderr);
  if (noUser !== undefined) return noUser;
  if (exitCode === 127 || stderr.includes('failed to execute curl')) return noProgram('curl', 'curl');
  if (exitCode === 0 || /^\S+ [1-5]\d\d$/m.test(output.stdout)) return passed(message('istiod.check.tls.ok', { name }));
  if (exitCode === 6)
    return failed(message('istiod.check.name.unknown', { name }), message('istiod.check.name.why'), next('name', { name }));
  if (exitCode === 77) return failed(message('istiod.check.tls.no-root', { path: ROOT_CERT }), undefined, next('tls'));
  if (exitCode !== 60 && exitCode !== 51)
    return failed(
      message('istiod.check.tls.failed', { name, text: lastLine(stderr) }),
      message('istiod.check.tls.failed.why'),
      next('tls.failed'),
    );
  if (/expired|not yet valid/.test(stderr))
    return failed(message('istiod.check.tls.time', { name }), message('istiod.check.tls.time.why'), next('clock'));
  if (/no alternative certificate subject name|does not match target host/.test(stderr))
    return certify === undefined
      ? failed(message('istiod.check.tls.other-name', { name }), message('istiod.check.tls.other-name.why'), next('tls.failed'))
      : failed(message('istiod.check.tls.other-name', { name }), message('istiod.check.tls.san.why'), next('tls.san', { name, certify }));
  return failed(
    message('istiod.check.tls.unknown-root', { name, path: ROOT_CERT }),
    message('istiod.check.tls.unknown-root.why'),
    next('tls'),
  );
}

function withoutUser(stderr: string): Judgement | undefined {
  return /user \S+ does not exist/.test(stderr)
    ? failed(message('istiod.check.no-user', { user: OWNER }), undefined, next('no-user'))
    : undefined;
}

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
