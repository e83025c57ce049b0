import { message, type Message } from '../messages.ts';
import type { HostCommand } from '../ports.ts';

/** What the node agent's log says, told apart as citadel facts 10 tells it: "starts successfully" is printed in every failing case too. */

export interface LogReason {
  /** Message id of what is wrong; its `.next` says what to do. */
  readonly id: string;
  readonly nextStep: Message;
  /** The log cannot tell it from an expired certificate: the reason is in Citadel's log alone. */
  readonly perhapsExpired: boolean;
}

const causes: readonly { readonly pattern: RegExp; readonly id: string }[] = [
  { pattern: /failed to create onprem client root cert file|root-cert\.pem.*no such file/, id: 'root-missing' },
  { pattern: /failed to find any PEM data in key input/, id: 'key-empty' },
  { pattern: /private key does not match public key/, id: 'key-mismatch' },
  { pattern: /cannot load key pair/, id: 'key-unreadable' },
  { pattern: /no such host/, id: 'no-such-host' },
  { pattern: /certificate signed by unknown authority/, id: 'unknown-authority' },
  { pattern: /certificate has expired/, id: 'expired' },
  { pattern: /connect: connection refused/, id: 'refused' },
  { pattern: /connection closed|use of closed network connection/, id: 'closed' },
  { pattern: /i\/o timeout|DeadlineExceeded|no route to host|network is unreachable/, id: 'unreachable' },
  { pattern: /SAN extension does not exist|SAN fields, should be 1/, id: 'no-san' },
  { pattern: /CSR signing failed/, id: 'refused-csr' },
];

/**
 * Its newest lines. Where the start script runs the agent by su and su opens a session (pam_systemd), journald files the lines under that session and the
 * script's name, not under the unit: all three are asked for.
 */
export function logCommand(unit: string, lines = 50): HostCommand {
  const matches = [
    `_SYSTEMD_UNIT=${unit}.service`,
    '+',
    'SYSLOG_IDENTIFIER=istio-node-agent-start.sh',
    '+',
    'SYSLOG_IDENTIFIER=node_agent',
  ];
  return { argv: ['journalctl', '-b', '-n', String(lines), '--no-pager', '-o', 'cat', ...matches], asRoot: true };
}

/** The newest cause that the log names; undefined where it names none. */
export function explainLog(log: string): LogReason | undefined {
  const lines = log.trim().split('\n').reverse();
  for (const line of lines) {
    if (line.includes('CSR is approved')) return undefined;
    const cause = causes.find(({ pattern }) => pattern.test(line));
    if (cause !== undefined) {
      const id = `citadel.node-agent.${cause.id}`;
      return { id, nextStep: message(`${id}.next`), perhapsExpired: cause.id === 'closed' };
    }
  }
  return undefined;
}

/** How long until the renewal, from the newest approval: `1m29.845821047s`; undefined where the newest request was not approved, or the agent was started since. */
export function renewsIn(log: string): string | undefined {
  for (const line of log.trim().split('\n').reverse()) {
    const approved = /CSR is approved successfully\. Will renew cert in (\S+)/.exec(line);
    if (approved !== null) return approved[1];
    if (/Starting Node Agent|CSR signing failed|cannot load key pair|failed to create onprem/.test(line)) return undefined;
  }
  return undefined;
}
