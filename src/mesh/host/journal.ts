/** What systemd and PAM say around every start and end; the reason is the line before. */
const noise =
  /^pam_|^\(to \S+\) \S+ on |^Start(ed|ing) |^Stopp(ed|ing) |\.service: (Main process exited|Failed with result|Scheduled restart|Deactivated|Control process|Consumed)/;

/** The reason in the newest lines of a unit's output. */
export function lastLine(log: string): string {
  const lines = log
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !noise.test(line)) ?? lines.at(-1) ?? '';
}
