import type { HostCommand } from '../ports.ts';

/** What systemd keeps of a unit's output. */

/** Its newest lines since the machine was started. */
export function journalCommand(unit: string, lines = 50): HostCommand {
  return { argv: ['journalctl', '-b', '-n', String(lines), '--no-pager', '-o', 'cat', '-u', unit], asRoot: true };
}

/** What systemd and PAM say around every start and end; the reason is the line before. */
const noise =
  /^pam_|^\(to \S+\) \S+ on |^Start(ed|ing) |^Stopp(ed|ing) |\.service: (Main process exited|Failed with result|Scheduled restart|Deactivated|Control process|Consumed)/;

export function lastLine(log: string): string {
  const lines = log
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !noise.test(line)) ?? lines.at(-1) ?? '';
}
