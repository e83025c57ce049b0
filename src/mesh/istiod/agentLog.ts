import { message, type Message } from '../messages.ts';
import type { HostCommand } from '../ports.ts';

/** What the agent and Envoy write into /var/log/istio, for ever and without rotation (istiod facts 2.3, 2.6): seen in 1.31 under each of the faults. */

/** The newest lines of both. */
export const logCommand: HostCommand = {
  argv: ['tail', '-q', '-n', '150', '--', '/var/log/istio/istio.log', '/var/log/istio/istio.err.log'],
  asRoot: true,
  timeoutMs: 10_000,
};

export interface LogCause {
  /** Message id of what is wrong. */
  readonly id: string;
  readonly args: Readonly<Record<string, string>>;
  readonly next: Message;
}

/** In the order in which one explains another: a token that is missing is refused too, and whatever it is, the certificate is not warmed. */
const causes: readonly { readonly id: string; readonly pattern: RegExp }[] = [
  { id: 'no-group', pattern: /cannot find WorkloadGroup (?<detail>\S+?)(\{|\s|$)/ },
  { id: 'no-token', pattern: /failed to fetch token from file: (?<detail>.*)/ },
  { id: 'unauthenticated', pattern: /code = Unauthenticated desc = (?<detail>.*?)(\t|$)/ },
  { id: 'not-allowed', pattern: /code = PermissionDenied desc = (?<detail>.*?)(\t|$)/ },
  { id: 'key', pattern: /tls: (?<detail>private key does not match public key)/ },
  { id: 'unknown-authority', pattern: /x509: certificate signed by (?<detail>unknown authority)/ },
  { id: 'clock', pattern: /x509: certificate has expired or is not yet valid(: (?<detail>.*))?/ },
  { id: 'wrong-name', pattern: /x509: (?<detail>certificate is (not )?valid for .*|cannot validate certificate .*)/ },
  { id: 'no-such-host', pattern: /lookup (?<detail>\S+).*(no such host|i\/o timeout|server misbehaving)/ },
  { id: 'refused', pattern: /dial tcp (?<detail>\S+): connect: connection refused/ },
  { id: 'unreachable', pattern: /dial tcp (?<detail>\S+): (i\/o timeout|connect: no route to host|connect: connection timed out)/ },
  { id: 'unreachable', pattern: /(?<detail>context deadline exceeded|DeadlineExceeded.*)/ },
  {
    id: 'closed',
    pattern: /(?<detail>connection reset by peer|error reading server preface: EOF|tls: first record .*|handshake failed: EOF)/,
  },
  { id: 'rejected', pattern: /(?<detail>Error adding\/updating listener.*|gRPC config for \S+ rejected.*)/ },
];

/** Said at every request where there is no token, also by an agent whose certificate carries it (istiod facts 2.4: a warning only): a cause only beside a refusal. */
const WARNING = 'no-token';

/** The scope in which the agent tells how the application answers its group's probe: no word about istiod. */
const PROBE = '\thealthcheck\t';

/** Milliseconds: causes that are said within this time of the newest one are weighed against each other. */
const ROUND_MS = 15_000;

/**
 * The cause that the log names since the unit was started; undefined where it names none, or was connected after it. `since`: ISO 8601.
 */
export function explainLog(log: string, since?: string): LogCause | undefined {
  const started = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since) - 1000;
  const lines = log.split('\n').flatMap((text) => {
    const time = Date.parse(/^\d{4}-\d\d-\d\dT\S+/.exec(text)?.[0] ?? '');
    return Number.isNaN(time) || time < started || text.includes(PROBE) ? [] : [{ time, text }];
  });
  const connected = Math.max(
    ...lines.filter(({ text }) => text.includes('connected to ') && text.includes('upstream XDS')).map(({ time }) => time),
  );
  const told = lines
    .filter(({ time }) => !(time <= connected))
    .flatMap(({ time, text }) => causes.flatMap(({ id, pattern }, rank) => found(pattern.exec(text), { time, rank, id })));
  const newest = Math.max(...told.map(({ time }) => time));
  const round = told.filter(({ time }) => newest - time <= ROUND_MS);
  if (round.every(({ id }) => id === WARNING)) return undefined;
  const [first] = round.sort((one, other) => one.rank - other.rank || other.time - one.time);
  if (first === undefined) return undefined;
  const args = { detail: first.detail };
  return { id: `istiod.agent.${first.id}`, args, next: message(`istiod.agent.${first.id}.next`, args) };
}

interface Told {
  readonly time: number;
  readonly rank: number;
  readonly id: string;
  readonly detail: string;
}

function found(match: RegExpExecArray | null, line: Omit<Told, 'detail'>): readonly Told[] {
  return match === null ? [] : [{ ...line, detail: (match.groups?.detail ?? '').slice(0, 200) }];
}
