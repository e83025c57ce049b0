import type { CallOptions } from '../mesh/ports.ts';
import { hostError } from './errors.ts';
import { enter } from './push.ts';
import { JOB_FUNCTIONS } from './scripts/units.ts';
import type { HostSession } from './session.ts';
import { checkAccount, checkPath, words } from './words.ts';

const LIMIT_MS = 120_000;

/** Directories of the system: never removed whole, whatever a manifest says. */
const SYSTEM =
  /^\/(?:[^/]+|(?:etc|var)\/(?:lib|log|cache|spool|opt|mail|systemd|ssh|apt|dpkg|default|init\.d|network|dnsmasq\.d|sudoers\.d|ssl|pam\.d|cron\.d)|var\/lib\/(?:dpkg|apt|systemd)|usr\/(?:bin|sbin|lib|lib64|libexec|share|local|include|src)(?:\/(?:bin|sbin|lib|share|etc))?)$/;

/** A unit that ran `su` had a session opened for the account (pam_systemd); its manager lives on for seconds, and userdel refuses while it does. */
const END_SESSIONS = `end_sessions() {
  loginctl terminate-user "$1" >/dev/null 2>&1 || :
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    pgrep -u "$1" >/dev/null 2>&1 || return 0
    sleep 1
  done
  pkill -KILL -u "$1" >/dev/null 2>&1 || :
  sleep 1
}`;

/** Jobs whose end nobody came back to read, e.g. since the machine let nobody in any more (scripts/units.ts). */
const FORGET_JOBS = `${JOB_FUNCTIONS}
for job in "$S/jobs/"*; do
  if [ -d "$job" ]; then end_job "\${job##*/}"; fi
done`;

/**
 * VmHost.removeCreated: paths, users and groups that were not there before, then the state directory itself. Refused while files of the manifest are still
 * in place, since their originals are in there. Throws `host.command`.
 */
export async function removeCreated(session: HostSession, options: CallOptions = {}): Promise<void> {
  await session.withShellRetried({ ...options, root: true, limitMs: LIMIT_MS }, async (shell) => {
    const { manifest } = await enter(shell, []);
    if (manifest !== undefined) {
      if (manifest.files.length > 0)
        throw hostError(
          'host.command',
          { host: session.alias, text: manifest.files.map((file) => file.path).join(', ') },
          { text: 'files-left' },
        );
      const { paths, users, groups } = manifest.created;
      const removable = paths.map(checkPath).filter((path) => !SYSTEM.test(path));
      const deepestFirst = [...removable].sort((a, b) => b.length - a.length);
      await shell.ask(
        [
          'leave_failed() { echo "$1" >&2; exit 1; }',
          END_SESSIONS,
          // One that the system shares is only taken away when empty.
          ...paths.filter((path) => SYSTEM.test(path)).map((path) => `rmdir -- ${words([path])} 2>/dev/null || :`),
          ...deepestFirst.map((path) => `rm -rf --one-file-system -- ${words([path])} || leave_failed ${words([path])}`),
          // Only system accounts: a person's account is never ours to remove.
          ...users
            .map(checkAccount)
            .map(
              (name) =>
                `if [ "$(id -u ${words([name])} 2>/dev/null || echo 0)" -ge 100 ] && [ "$(id -u ${words([name])})" -lt 1000 ]; then end_sessions ${words([name])}; userdel ${words([name])} || leave_failed ${words([name])}; fi`,
            ),
          ...groups
            .map(checkAccount)
            .map(
              (name) =>
                `if getent group ${words([name])} >/dev/null && [ "$(getent group ${words([name])} | cut -d: -f3)" -ge 100 ] && [ "$(getent group ${words([name])} | cut -d: -f3)" -lt 1000 ]; then groupdel ${words([name])} || leave_failed ${words([name])}; fi`,
            ),
          'rm -f -- "$S/manifest.json"',
        ].join('\n'),
      );
    }
    await shell.ask(FORGET_JOBS);
    // The exit of a shell that finds no manifest takes the directory away (scripts/state.ts, tidy).
    await shell.finish();
  });
}
